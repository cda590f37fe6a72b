/*
 * One projection over one partition: projectors, of which two may believe to own it, the store of its views, and a reader.
 * docs/formal.md explains it. A view is modelled as the number of events that it counts: right is as many as lie before the checkpoint.
 *
 * Every atomic block is one thing that is atomic in the product too: one script of the store. A projector may stop between any two steps
 * for as long as others like, and crashes up to CRASHES times; the store is put back to an older copy of itself up to RESTORES times.
 * Broken variants: CHECKPOINT_FIRST (views in a step of their own after it), VIEWS_FIRST (before it), NOT_COMPARED (whatever it was).
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

/* Reads its checkpoint, then applies batches of one or two events, until the store says that the checkpoint is another one. */
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

/* By whatever token: what the checkpoint says is applied counts, once. */
active proctype Reader() {
  do
  :: assert(counted == checkpoint)
  od
}
