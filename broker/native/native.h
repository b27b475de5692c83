/* What the parts of the compiled module share.
 *
 * Each part is a twin of Python code, which its header comment names: the
 * compiled one does what is ordinary, and leaves everything odd to its twin.
 */

#ifndef MESHSCOPE_NATIVE_H
#define MESHSCOPE_NATIVE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Each adds its types or functions to the module; -1 with an exception on failure. */
int add_young(PyObject *module);
int add_rows(PyObject *module);
int add_intake(PyObject *module);
int add_plain(PyObject *module);
int add_ear(PyObject *module);
int add_post(PyObject *module);
int add_wait(PyObject *module);
int add_chunks(PyObject *module);
int add_counting(PyObject *module);
int add_peeling(PyObject *module);
int add_replies(PyObject *module);
int add_search(PyObject *module);
int add_straight(PyObject *module);
int add_reading_thread(PyObject *module);
int add_unpacked(PyObject *module);

/* The exception that is set, as an object with its traceback, and no longer set; NULL with another. */
PyObject *taken_exception(void);

/* -- headers.c: the header of a packet, where it is ordinary JSON */

typedef struct {
    const char *at; /* NULL: null, or not there */
    Py_ssize_t length;
} Slice;

typedef struct {
    Slice id, sender;
    /* of a request */
    Slice action, request_id, parent_id, caller, level;
    int64_t timeout_ms; /* 0: none */
    char tracing;       /* 't', 'f'; 'n' for null, or not there */
    /* of an event */
    Slice event, groups; /* groups as they are written, brackets included */
    char broadcast;      /* as tracing */
} Header;

/* Whether a body is an ordinary request, answer or event; what it says then. Odd ones are not: errors, streams, escapes or
 * other than ASCII in a name or an id, numbers where texts are expected, malformed JSON. */
bool read_request_header(const char *body, Py_ssize_t length, Header *header);
bool read_response_header(const char *body, Py_ssize_t length, Header *header);
bool read_event_header(const char *body, Py_ssize_t length, Header *header);

/* The next of the plain texts in an array that is known to hold nothing else; false when there is none. `at` begins
 * behind the bracket that opens it. */
bool next_text(const char **at, Slice *text);

/* -- young.c: calls that wait for their answer */

#define TEXT_BYTES 40 /* a UUID has 36 */
#define KEY_BYTES 56  /* an id with the prefix of its namespace */
#define NO_TEXT 255   /* as a length: null, or not there */
#define ROUTE_BYTES 16

typedef struct {
    uint64_t hash;
    int64_t begin_ns, deadline_ns;
    uint64_t frame;
    PyObject *route;    /* bytes; NULL: the call has ended, or `entry` has it */
    PyObject *entry;    /* an Entry that has more than fits here; NULL for all others */
    PyObject *long_key; /* bytes; NULL for one that fits */
    uint32_t size;
    uint8_t key_length, id_begin, trace_length, parent_length;
    char key[KEY_BYTES], trace[TEXT_BYTES], parent[TEXT_BYTES];
} Slot;

typedef struct {
    PyObject_HEAD
    Slot *slots; /* in order of coming, with holes where calls ended */
    int32_t *index;
    Py_ssize_t first, used, room; /* of slots: the first that may be alive, the end of those in use, how many there are */
    Py_ssize_t mask;              /* of the index, which has at least twice the room */
    Py_ssize_t alive;
} Young;

extern PyTypeObject Young_Type;

/* Nobody who does not know this process can make two texts have the same. */
uint64_t keyed_hash(const char *text, Py_ssize_t length);

Slot *young_find(Young *self, const char *key, Py_ssize_t length);
/* A slot for a key that is not there yet, with nothing but the key in it; NULL with an exception if memory is short. */
Slot *young_add(Young *self, const char *key, Py_ssize_t length);
void young_remove(Young *self, Slot *slot);
/* A new Entry of a slot. */
PyObject *young_entry(const Slot *slot);

/* -- rows.c: calls that ended */

typedef struct {
    PyObject_HEAD
    PyObject *id64;
    char *rows;
    char *routes;
    double *durations_s;
    Py_ssize_t count, room;
} Rows;

extern PyTypeObject Rows_Type;

/* The call of a slot was answered well; -1 with an exception. */
int rows_answered(Rows *self, const Slot *slot, int64_t end_ns, uint32_t size, uint64_t frame);
int rows_append(Rows *self, PyObject *row);

/* -- intake.c: ordinary packets */

typedef struct FastLane FastLane;
typedef struct Intake Intake;
extern PyTypeObject FastLane_Type, Intake_Type;

typedef struct {
    long long at_ns;
    long long until_ns; /* what comes at this moment or later is not taken: something is to be done before */
    Py_ssize_t room;
    PyObject *now;    /* at_ns as an object, for rows that are made of one */
    PyObject *events; /* EventRow of each: list */
} Moment;

typedef enum { RAISED = -1, ODD = 0, TAKEN = 1 } Verdict;

/* Goes on to a moment. Those who arrived together have the same object for it. ODD: it is not to be reached. */
Verdict intake_reach(Moment *moment, PyObject *now);
/* Takes a packet in. ODD: it is not ordinary, and nothing happened. */
Verdict intake_take(Intake *self, FastLane *lane, Moment *moment, const char *body, Py_ssize_t size, uint64_t frame);

/* -- chunks.c: what is kept */

/* The number of a channel, from 1; 0 if it has none yet, or none that fits; -1 with an exception. */
long chunk_channel(PyObject *ids, PyObject *channel);
/* Where the record of a message begins, which is appended; -1 with an exception. */
Py_ssize_t chunk_append(PyObject *raw, PyObject *offsets, uint16_t channel, uint64_t at_ns, const char *body,
                        Py_ssize_t size);

/* -- straight.c: ordinary messages, straight from what arrived to rows and chunk */

typedef struct Straight Straight;
extern PyTypeObject Straight_Type;

/* Goes on to a moment; those before it was made are raised to the moment that was reached then. */
Verdict straight_reach(Straight *self, PyObject *at_ns);
Verdict straight_take(Straight *self, const Slice *channel, const Slice *body);
/* How many were taken. */
Py_ssize_t straight_count(const Straight *self);

/* -- replies.c: messages of Redis */

typedef struct Splitter Splitter;
extern PyTypeObject Splitter_Type;

/* Appends the messages of a block; the place in it of something odd, or its end; -1 with an exception. */
Py_ssize_t splitter_split(Splitter *self, const char *block, Py_ssize_t length, Py_ssize_t begin, PyObject *frames);

#endif
