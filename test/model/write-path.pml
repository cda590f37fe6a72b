/*
 * The write path of one partition with one stream: owners, fence, marker, index, guard, and the clients that append and read.
 * docs/formal.md explains it. Any process may pause between any two steps for any time (this follows from interleaving),
 * so a frozen owner needs no step of its own; a crash does.
 *
 * Any owner may take over at any time, and the group that assigns partitions does not occur. So a successor that takes over ahead of
 * the group, also from a living owner (docs/decisions/0015), needs no step of its own either.
 *
 * Every atomic block is atomic in the product too: one request as its server handles it, or one script in Redis.
 * -D sets the bounds, which are 0 or small by default: TERMS (take-overs), CRASHES, LOSSES (of requests to the leader, or their responses),
 * FLUSHES and RESTORES (of Redis), MISSES (commits that do not reach it), TRIES (of the first append), FORGETS (the coordinator forgets the
 * transactional id, and assigns another producer id), STRAYS (the next version, written by a stranger). READS adds a reader.
 * Broken variants: NO_WAIT_FOR_MARKER NO_FENCE GUARD_IGNORED SEQUENCE_BUMPED DEDUPE_FORGOTTEN REFUSED_EARLY CLAIM_REGARDLESS DROP_REGARDLESS
 * RULE_LEFT_OUT (every batch counts) LANDING_UNCHECKED (acknowledged wherever a batch landed) READ_WITHOUT_OFFSET (the index is read
 * before it has what was acknowledged) LEASE_IGNORED (memory is read without a confirmed ownership) IDS_NOT_READ (a take-over starts
 * without the stored ids).
 */

#ifndef TERMS
#define TERMS 2
#endif
#ifndef CRASHES
#define CRASHES 0
#endif
#ifndef FLUSHES
#define FLUSHES 0
#endif
#ifndef RESTORES
#define RESTORES 0
#endif
#ifndef LOSSES
#define LOSSES 0
#endif
#ifndef MISSES
#define MISSES 0
#endif
#ifndef FORGETS
#define FORGETS 0
#endif
#ifndef STRAYS
#define STRAYS 0
#endif
#ifndef TRIES
#define TRIES 1
#endif

#define OWNERS 2
#define APPENDS 2
#define LOG (8 + TERMS + STRAYS)
#define anyVersion 9

/* The log: events have ids from 1, markers have 0. Epochs count all terms; those of one producer id are in order. A record counts if its epoch is that of the last marker before it. */
typedef Record { byte id; byte version; byte epoch; bool counts }
Record log[LOG];
byte end = 0;
byte lastMarker = 0;
byte streamVersion = 0;
bool isLogged[APPENDS + 2];
#define stranger (APPENDS + 1)

/* The producer id that the coordinator assigns, and the one of each epoch. */
byte producerId = 0;
byte idOf[TERMS + 1];
#define isSameId(one, other) (idOf[one] == idOf[other])

/* The partition's leader: the newest epoch of each producer id, and for each epoch the next sequence and the offset of the last batch. */
byte fence[FORGETS + 1];
byte nextSequence[TERMS + 1];
byte lastOffset[TERMS + 1];

/* The transaction coordinator: the newest epoch it assigned, and the one whose marker is in flight. */
byte coordinator = 0;
byte marker = 0;

/* Redis: its state, and an older copy of it. */
bool held = false;     byte heldEpoch = 0; byte heldNext = 0; byte heldVersion = 0; byte heldIds = 0;
bool saved = false;    byte savedEpoch = 0; byte savedNext = 0; byte savedVersion = 0; byte savedIds = 0;

/* The state of each owner. */
byte epoch[OWNERS];
byte guardNext[OWNERS];
bool serving[OWNERS];
bool stale[OWNERS];
/* Commits are sent without waiting: the index gets the log from here up to guardNext. They are carried out in their order. */
byte commitNext[OWNERS];
/* The owner's memory: all remembered ids, and the version of the stream, unless it was evicted. */
byte memoryIds[OWNERS];
byte memoryVersion[OWNERS];
bool remembered[OWNERS];
/* The ownership was confirmed a moment ago: until then, memory may be read. The lease counts from the request that confirmed it. */
bool lease[OWNERS];
bool requested[OWNERS];
/* Append requests that reached an owner: one bit for each append. */
byte inbox[OWNERS];

/* Requests to the leader without a response. */
byte lost = 0;
/* One of them may still be in flight, even if its sender has crashed. */
byte lateId1 = 0; byte lateId2 = 0; byte lateVersion1 = 0; byte lateVersion2 = 0; byte lateEpoch = 0; byte lateSequence = 0;
byte crashes = 0;
byte misses = 0;

/* Responses to clients: the version of each append, 0 while there is none. */
byte answered[APPENDS + 1];
bool refused[APPENDS + 1];
byte acknowledgedVersion = 0;

#define bit(id) (1 << (id))
/* The first append expects no stream, the others any version. */
#define expected(id) ((id) == 1 -> 0 : anyVersion)

mtype = { taken, behindFence, outOfOrder };

/* ---- The promises, asserted wherever they could be violated ---- */

#ifdef RULE_LEFT_OUT
#define counting(anEpoch, aVersion) true
#else
/* Before the first marker versions alone decide. */
#define counting(anEpoch, aVersion) (lastMarker == 0 -> aVersion == streamVersion + 1 : anEpoch == lastMarker)
#endif

inline appendRecord(anId, aVersion, anEpoch) {
  log[end].id = anId; log[end].version = aVersion; log[end].epoch = anEpoch; log[end].counts = counting(anEpoch, aVersion);
  if
  :: log[end].counts ->
     assert(aVersion == streamVersion + 1);           /* versions are contiguous, and each is assigned once */
     assert(!isLogged[anId]);                         /* each event at most once */
     assert(anId == stranger || !refused[anId]);      /* a rejected event is nowhere */
     assert(expected(anId) == anyVersion || expected(anId) == streamVersion);
     isLogged[anId] = true;
     streamVersion = aVersion
  :: else
  fi;
  end++
}
inline acknowledge(anId, aVersion, anOffset) {
  assert(log[anOffset].id == anId && log[anOffset].version == aVersion && log[anOffset].counts);   /* it is where the response says */
  assert(answered[anId] == 0 || answered[anId] == aVersion);               /* duplicates get the first response */
  answered[anId] = aVersion;
  acknowledgedVersion = (aVersion > acknowledgedVersion -> aVersion : acknowledgedVersion)
}

inline refuse(anId, anActual) {
  assert(!isLogged[anId]);
  assert(anActual <= streamVersion);               /* the version that it names has been reached */
  refused[anId] = true
}

/* The index is the fold of the log up to its offset. */
inline assertIndexIsTrue() {
  i = 0; foldedVersion = 0; foldedIds = 0;
  do
  :: i < heldNext ->
     if
     :: log[i].counts -> foldedVersion++; foldedIds = foldedIds | bit(log[i].id)
     :: else
     fi;
     i++
  :: else -> break
  od;
  assert(!held || (heldNext <= end && heldVersion == foldedVersion && heldIds == foldedIds));
  i = 0; foldedVersion = 0; foldedIds = 0
}

/* ---- The partition's leader: one produce request of one or two events ---- */

inline produce(anEpoch, aSequence, id1, version1, id2, version2) {
  if
#ifndef NO_FENCE
  :: anEpoch < fence[idOf[anEpoch]] -> outcome = behindFence
#endif
  :: else ->
     fence[idOf[anEpoch]] = (anEpoch > fence[idOf[anEpoch]] -> anEpoch : fence[idOf[anEpoch]]);
     if
     :: aSequence == nextSequence[anEpoch] ->
        lastOffset[anEpoch] = end;
        appendRecord(id1, version1, anEpoch);
        if
        :: id2 != 0 -> appendRecord(id2, version2, anEpoch)
        :: else
        fi;
        nextSequence[anEpoch] = aSequence + 1;
        outcome = taken; offset = lastOffset[anEpoch]
     :: aSequence + 1 == nextSequence[anEpoch] -> outcome = taken; offset = lastOffset[anEpoch]
     :: else -> outcome = outOfOrder
     fi
  fi
}

/* ---- An owner: take-over, catch-up, rounds ---- */

/* Epochs of one producer id are in order. Of two ids only the log shows which came later. */
#ifdef NO_FENCE
#define isLastTerm true   /* without a fence the log has no markers */
#else
#define isLastTerm (lastMarker == epoch[me])
#endif
#define isLater(anEpoch) ((isSameId(anEpoch, epoch[me]) && anEpoch > epoch[me]) || (!isSameId(anEpoch, epoch[me]) && !isLastTerm))
#define guardHolds(next) (held && heldEpoch == epoch[me] && heldNext == (next))
#define isCommitted (commitNext[me] == guardNext[me])
inline forgetMemory() { memoryIds[me] = 0; memoryVersion[me] = 0; remembered[me] = false; commitNext[me] = 0; lease[me] = false; requested[me] = false }
#ifdef READS
#define requestLease() requested[me] = true
#define confirmLease() lease[me] = requested[me]; requested[me] = false
#else
#define requestLease() skip
#define confirmLease() skip
#endif

inline forgetRound() { id1 = 0; id2 = 0; version1 = 0; version2 = 0; duplicate = 0; sequenceSent = 0; from = 0; seen = 0; seenEpoch = 0; seenHeld = false; offset = 0; outcome = 0; upTo = 0 }

/* One commit, or several: one script. If Redis rejects it, the events are durable nevertheless. */
inline commit() {
  if
  :: guardHolds(commitNext[me]) ->
     do
     :: heldNext < guardNext[me] ->
        if
        :: log[heldNext].counts -> heldVersion = log[heldNext].version; heldIds = heldIds | bit(log[heldNext].id)
        :: else
        fi;
        heldNext++
     :: else -> break
     od;
     assertIndexIsTrue()
  :: !guardHolds(commitNext[me]) -> stale[me] = true
  :: misses < MISSES -> misses++; stale[me] = true       /* Redis was unreachable */
  fi;
  commitNext[me] = guardNext[me]
}

/* Decides one append of the batch by the index and the versions that the batch has already assigned. */
inline decide(anId) {
  if
  :: (knownIds & bit(anId)) -> duplicate = anId
  :: else ->
     if
     :: expected(anId) != anyVersion && expected(anId) != atVersion ->
#ifndef REFUSED_EARLY
        if
        :: id1 != 0 -> inbox[me] = inbox[me] | bit(anId)   /* depends on an event that may never be in the log: next round */
        :: else -> refuse(anId, atVersion)
        fi
#else
        refuse(anId, atVersion)
#endif
     :: else ->
        atVersion++;
        if
        :: id1 == 0 -> id1 = anId; version1 = atVersion
        :: else -> id2 = anId; version2 = atVersion
        fi
     fi
  fi
}

inline answerDuplicate() {
  if
  :: duplicate != 0 ->
     i = 0;
     do
     :: i < end && !(log[i].id == duplicate && log[i].counts) -> i++
     :: else -> break
     od;
     assert(i < end);
     acknowledge(duplicate, log[i].version, i);
     i = 0; duplicate = 0
  :: else
  fi
}

proctype Owner(byte me) {
  byte from, upTo, seen, seenEpoch, sequence, sequenceSent, id1, id2, version1, version2, duplicate;
  byte atVersion, knownIds, offset, i, foldedVersion, foldedIds, termStart;
  byte landing;                                    /* where the next batch should land */
  bool seenHeld;
  mtype outcome;

life:
  {
    skip;
takeOver:
    atomic {
      serving[me] = false; stale[me] = true; forgetRound(); forgetMemory(); guardNext[me] = 0;
      coordinator < TERMS && marker == 0;         /* liveness may be wrong: any owner may take over */
      from = end                                   /* the previous high watermark */
    };
    atomic { coordinator < TERMS && marker == 0 -> coordinator++; epoch[me] = coordinator; idOf[coordinator] = producerId; sequence = 0 };
#ifdef NO_FENCE
    atomic { upTo = end; landing = upTo };
#else
    if
    :: atomic { coordinator == epoch[me] && idOf[epoch[me]] == producerId && marker == 0 -> marker = epoch[me] }
    :: atomic { coordinator > epoch[me] || idOf[epoch[me]] != producerId -> goto takeOver }
    fi;
#ifdef NO_WAIT_FOR_MARKER
    atomic { upTo = from; landing = upTo };
#else
    if
    :: atomic { fence[idOf[epoch[me]]] >= epoch[me] && marker != epoch[me] ->
         upTo = from;
         do
         :: upTo < end && !(log[upTo].id == 0 && log[upTo].epoch == epoch[me]) -> upTo++
         :: else -> break
         od;
         assert(upTo < end);
         upTo++; landing = upTo
       }
    fi;
#endif
#endif
#ifdef DEDUPE_FORGOTTEN
    termStart = upTo;
#endif

catchUp:
    /* A GET, and its interpretation. */
    atomic { seenHeld = held; seenEpoch = heldEpoch; seen = heldNext };
    atomic {
      if
#ifdef CLAIM_REGARDLESS
      :: seenHeld && seen > upTo && isLater(seenEpoch) -> goto takeOver
#else
      :: seenHeld && isLater(seenEpoch) -> goto takeOver   /* a later owner is active */
#endif
      :: !seenHeld && !isLastTerm -> goto takeOver         /* an empty index shows no owner, but the log does */
      :: else
      fi
    };
    if
    :: atomic { !seenHeld || seen > upTo ->
#ifndef DROP_REGARDLESS
         if
         :: held != seenHeld || heldEpoch != seenEpoch || heldNext != seen -> goto catchUp
         :: else
         fi;
#endif
         held = false; heldEpoch = 0; heldNext = 0; heldVersion = 0; heldIds = 0; seen = 0; seenHeld = false; seenEpoch = 0 }
    :: atomic { seenHeld && seen <= upTo -> skip }
    fi;
    /* The claim: a compare-and-set. */
    atomic {
      if
      :: !held && seen == 0 -> held = true; heldEpoch = epoch[me]; heldNext = 0; heldVersion = 0; heldIds = 0
#ifdef CLAIM_REGARDLESS
      :: held && heldNext == seen -> heldEpoch = epoch[me]
#else
      :: held && heldNext == seen && heldEpoch == seenEpoch -> heldEpoch = epoch[me]
#endif
      :: else -> goto catchUp
      fi
    };
    /* The missing events, in one commit. */
    atomic {
      if
      :: guardHolds(seen) ->
         do
         :: heldNext < upTo ->
            if
            :: log[heldNext].counts -> heldVersion = log[heldNext].version; heldIds = heldIds | bit(log[heldNext].id)
            :: else
            fi;
            heldNext++
         :: else -> break
         od;
         assertIndexIsTrue();
         guardNext[me] = heldNext; commitNext[me] = heldNext;
#ifndef IDS_NOT_READ
         memoryIds[me] = heldIds;
#endif
         from = 0; upTo = 0; seen = 0; seenEpoch = 0; seenHeld = false
      :: else -> goto catchUp
      fi
    };
    /* It waits until no earlier owner may answer from its memory. */
    atomic { !lease[1 - me] && !requested[1 - me] -> stale[me] = false; serving[me] = true };

serve:
    do
    :: stale[me] -> goto catchUpAgain
    :: atomic { !stale[me] && remembered[me] && isCommitted -> remembered[me] = false; memoryVersion[me] = 0 }   /* evicted */
    :: atomic { !stale[me] && !isCommitted -> commit() }
    :: atomic { !stale[me] && inbox[me] != 0 -> forgetRound() };
       /* The check: memory, or one script, which is carried out after the commits. */
       do
       :: atomic { !remembered[me] && !isCommitted -> commit() }
       :: atomic { remembered[me] || isCommitted -> break }
       od;
       atomic {
         if
         :: stale[me] -> goto catchUpAgain
         :: !stale[me] && remembered[me] -> atVersion = memoryVersion[me]; knownIds = memoryIds[me]
#ifdef GUARD_IGNORED
         :: !stale[me] && !remembered[me] ->
#else
         :: !stale[me] && !remembered[me] && guardHolds(guardNext[me]) ->
            requestLease(); confirmLease();
#endif
            atVersion = heldVersion; knownIds = memoryIds[me];
#ifdef DEDUPE_FORGOTTEN
            i = 0;
            do
            :: i < termStart -> if :: log[i].id != 0 -> knownIds = knownIds & ~bit(log[i].id) :: else fi; i++
            :: else -> break
            od;
            i = 0;
#endif
         :: else -> goto catchUpAgain
         fi
       };
       /* The batch: one append, or both, in either order; the owner decides. */
       atomic {
         if
         :: inbox[me] & bit(1) -> decide(1); inbox[me] = inbox[me] & ~bit(1)
         :: inbox[me] & bit(2) -> decide(2); inbox[me] = inbox[me] & ~bit(2)
         :: inbox[me] == (bit(1) | bit(2)) -> inbox[me] = 0; decide(1); decide(2)
         :: inbox[me] == (bit(1) | bit(2)) -> inbox[me] = 0; decide(2); decide(1)
         fi;
         atVersion = 0; knownIds = 0;
         answerDuplicate()
       };
       if
       :: id1 == 0 -> goto serve
       :: else
       fi;
       atomic { sequenceSent = sequence; requestLease() };
       /* The request: with a response, or without one, so that it may have been executed or lost. */
       do
       :: atomic { produce(epoch[me], sequenceSent, id1, version1, id2, version2);
            if
            :: outcome == behindFence -> goto fenced
            :: outcome == outOfOrder -> goto unknown
#ifndef LANDING_UNCHECKED
            :: outcome == taken && offset != landing -> goto landed
#endif
            :: else -> sequence = sequenceSent + 1; confirmLease()
            fi
          };
          break
       :: atomic { lost < LOSSES -> lost++;
            if
            :: produce(epoch[me], sequenceSent, id1, version1, id2, version2); outcome = 0; offset = 0
            :: skip
            :: lateId1 = id1; lateId2 = id2; lateVersion1 = version1; lateVersion2 = version2; lateEpoch = epoch[me]; lateSequence = sequenceSent
            fi;
#ifdef SEQUENCE_BUMPED
            sequenceSent++
#endif
          }
       :: goto unknown                             /* the time-out has passed */
       od;
       if
       :: false ->
landed:   /* A marker of another term in between: the batch is in the log, and may not count. A stranger's data never does. */
          atomic {
            i = landing;
            do
            :: i < offset && !(log[i].id == 0 && log[i].epoch != epoch[me]) -> i++
            :: else -> break
            od;
            if
            :: i < offset -> i = 0; goto unknown
            :: else -> i = 0; sequence = sequenceSent + 1; confirmLease()
            fi
          }
       :: true
       fi;
       /* The answers. The commit follows: see serve. */
       atomic {
         memoryVersion[me] = (id2 != 0 -> version2 : version1); remembered[me] = true;
         memoryIds[me] = memoryIds[me] | bit(id1) | (id2 != 0 -> bit(id2) : 0);
         guardNext[me] = offset + (id2 != 0 -> 2 : 1);
         landing = guardNext[me];
         acknowledge(id1, version1, offset);
         if
         :: id2 != 0 -> acknowledge(id2, version2, offset + 1)
         :: else
         fi;
         forgetRound()
       }
    od;

catchUpAgain:
    /* Within a term: reads the log's end, then catches up as in a take-over. */
    atomic { stale[me] = true; forgetRound(); remembered[me] = false; memoryVersion[me] = 0; memoryIds[me] = 0; commitNext[me] = 0 };
    atomic { upTo = (end > guardNext[me] -> end : guardNext[me]) };
    goto catchUp;

unknown:
    /* Queued again: after a take-over the ids show its outcome. */
    atomic { inbox[me] = inbox[me] | bit(id1) | (id2 != 0 -> bit(id2) : 0); goto takeOver };

fenced:
    /* Callers get an unknown outcome, and may retry elsewhere. */
    atomic { serving[me] = false; inbox[me] = 0; goto takeOver }
  } unless {
    atomic { crashes < CRASHES -> crashes++; serving[me] = false; stale[me] = true; inbox[me] = 0; epoch[me] = 0; guardNext[me] = 0; forgetMemory();
      sequence = 0; upTo = 0; landing = 0; termStart = 0; atVersion = 0; knownIds = 0; i = 0; forgetRound() }
  };
  goto life
}
/* ---- The environment ---- */

/* The marker arrives at any time; from then on the leader has the epoch. */
active proctype Coordinator() {
end_idle:
  do
  :: atomic { marker != 0 ->
       fence[idOf[marker]] = (marker > fence[idOf[marker]] -> marker : fence[idOf[marker]]);
       log[end].id = 0; log[end].version = 0; log[end].epoch = marker; lastMarker = marker; end++;
       marker = 0
     }
  od
}

#if FORGETS > 0
/* The transactional id was unused for days: the next owner gets another producer id, whose markers fence no earlier owner. */
active proctype Forgetting() {
end_known:
  do
  :: atomic { producerId < FORGETS && marker == 0 -> producerId++ }
  od
}
#endif

#if STRAYS > 0
/* A producer with write access to the topic writes the very next version. */
active proctype Stranger() {
  byte strays = 0;
end_written:
  do
  :: atomic { strays < STRAYS && lastMarker != 0 && !isLogged[stranger] -> strays++; appendRecord(stranger, streamVersion + 1, 0) }
  od
}
#endif

#if LOSSES > 0
active proctype Network() {
  mtype outcome;
  byte offset;
end_empty:
  do
  :: atomic { lateId1 != 0 ->
       produce(lateEpoch, lateSequence, lateId1, lateVersion1, lateId2, lateVersion2);
       outcome = 0; offset = 0;
       lateId1 = 0; lateId2 = 0; lateVersion1 = 0; lateVersion2 = 0; lateEpoch = 0; lateSequence = 0
     }
  od
}
#endif

/* Sends an append to an owner; repeats it, to any owner, until there is a response. */
proctype Client(byte id) {
  byte tries = 0;
end_waiting:
  do
  :: atomic { tries < (id == 1 -> TRIES : 1) && answered[id] == 0 && !refused[id] ->
       tries++;
       if
       :: inbox[0] = inbox[0] | bit(id)
       :: inbox[1] = inbox[1] | bit(id)
       fi
     }
  od
}

active proctype Nemesis() {
  byte flushes = 0, restores = 0;
end_calm:
  do
  :: atomic { flushes < FLUSHES -> flushes++; held = false; heldEpoch = 0; heldNext = 0; heldVersion = 0; heldIds = 0 }
  :: atomic { restores < RESTORES && !saved && held -> saved = true;
       savedEpoch = heldEpoch; savedNext = heldNext; savedVersion = heldVersion; savedIds = heldIds }
  :: atomic { restores < RESTORES && saved -> restores++;
       held = true; heldEpoch = savedEpoch; heldNext = savedNext; heldVersion = savedVersion; heldIds = savedIds;
       saved = false; savedEpoch = 0; savedNext = 0; savedVersion = 0; savedIds = 0 }
  od
}

#ifdef READS
/* A lease ends after a short time. */
active proctype Time() {
end_still:
  do
  :: atomic { lease[0] || requested[0] -> lease[0] = false; requested[0] = false }
  :: atomic { lease[1] || requested[1] -> lease[1] = false; requested[1] = false }
  od
}

/* A read through an owner, under its guard: it sees everything that was acknowledged before it started. */
active proctype Reader() {
  byte due, next, term, who;
end_reading:
  do
  :: atomic { due == 0 && acknowledgedVersion > 0 -> due = acknowledgedVersion;
       if :: who = 0 :: who = 1 fi }
  :: atomic { due != 0 && serving[who] && !stale[who] && term == 0 -> next = guardNext[who]; term = epoch[who] }
  :: atomic { term != 0 ->
       if
#ifdef READ_WITHOUT_OFFSET
       :: held && heldEpoch == term -> assert(heldVersion >= due)
#else
       :: held && heldEpoch == term && heldNext >= next -> assert(heldVersion >= due);
          if :: serving[who] && epoch[who] == term -> lease[who] = true :: else fi
#endif
       :: else -> if :: serving[who] && epoch[who] == term -> stale[who] = true :: else fi
       fi;
       due = 0; next = 0; term = 0; who = 0 }
#ifdef LEASE_IGNORED
  :: atomic { due != 0 && term == 0 && serving[who] && !stale[who] && remembered[who] ->
#else
  :: atomic { due != 0 && term == 0 && serving[who] && !stale[who] && remembered[who] && lease[who] ->
#endif
       assert(memoryVersion[who] >= due); due = 0; who = 0 }
  od
}
#endif

init {
  atomic {
    stale[0] = true; stale[1] = true;
    run Owner(0); run Owner(1);
    run Client(1); run Client(2)
  }
}
