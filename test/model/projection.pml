/*
 * One projection over one partition: projectors, of which two may believe that they own it, the store of its views, and a reader.
 * docs/formal.md explains it. A view is modelled as the number of events that it counts. The correct number is that of the events before
 * the checkpoint.
 *
 * Every atomic block is atomic in the product too: one script of the store. A projector may pause between any two steps for any time,
 * and crashes up to CRASHES times; the store is restored from an older copy up to RESTORES times.
 * Broken variants: CHECKPOINT_FIRST (views in a separate step after the checkpoint), VIEWS_FIRST (before it), NOT_COMPARED (checkpoint not compared).
 */

#ifndef CRASHES
#define CRASHES 2
#endif
#ifndef RESTORES
#define RESTORES 1
#endif

#define LOG 4
#define PROJECTORS 2

byte end = 0;
byte checkpoint = 0;       byte counted = 0;
byte savedCheckpoint = 0;  byte savedCounted = 0;
byte crashes = 0;
byte restores = 0;

#ifdef NOT_COMPARED
#define isAsLeft true
#else
#define isAsLeft (checkpoint == from)
#endif

active proctype Log() {
  do
  :: end < LOG -> end++
  od
}

/* Reads its checkpoint, then applies batches of one or two events, until the store reports another checkpoint. */
active [PROJECTORS] proctype Projector() {
  byte from;
  byte to;
begin:
  atomic { from = checkpoint; to = from }
  do
  :: atomic { from < end -> to = from + 1 }
     if
     :: atomic { to < end -> to = to + 1 }
     :: skip
     fi;
#ifdef CHECKPOINT_FIRST
     if
     :: atomic { isAsLeft -> checkpoint = to }
     :: atomic { !isAsLeft -> goto begin }
     fi;
     if
     :: counted = counted + (to - from)
     :: atomic { crashes < CRASHES -> crashes++; goto begin }
     fi;
#else
#ifdef VIEWS_FIRST
     if
     :: atomic { isAsLeft -> counted = counted + (to - from) }
     :: atomic { !isAsLeft -> goto begin }
     fi;
     if
     :: checkpoint = to
     :: atomic { crashes < CRASHES -> crashes++; goto begin }
     fi;
#else
     if
     :: atomic { isAsLeft -> counted = counted + (to - from); checkpoint = to }
     :: atomic { !isAsLeft -> goto begin }
     fi;
#endif
#endif
     from = to
  :: atomic { crashes < CRASHES -> crashes++; goto begin }
  od
}

active proctype Store() {
  do
  :: atomic { savedCheckpoint = checkpoint; savedCounted = counted }
  :: atomic { restores < RESTORES -> restores++; checkpoint = savedCheckpoint; counted = savedCounted }
  od
}

/* With any token: every event before the checkpoint counts once. */
active proctype Reader() {
  do
  :: assert(counted == checkpoint)
  od
}
