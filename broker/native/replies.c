/* Takes messages out of what Redis sends to a subscriber. The twin is hiredis, in broker/transport/redis/replies.py.
 *
 * A message is `*3 message channel body` or `*4 pmessage pattern channel body`, of bulk strings. Numbers between them,
 * the answers to PUBLISH, are passed over. Whatever else comes ends a run: the twin takes that reply, and then it goes
 * on here.
 */

#include "native.h"

#define LONGEST_HEADER (1 << 16) /* all of a message before its body; a longer one is left to the twin */
#define LENGTH_DIGITS 9          /* a longer body is left to the twin */
#define FIRST_ROOM (1 << 16)     /* for a body of which a part has come: who announces much has not sent it yet */
#define LEAST_ADDED 128          /* most headers are shorter */
#define LONGEST_CHANNEL 256      /* that is kept to be found again */
#define SETS 2048
#define WAYS 4

typedef enum { STRANGE, PARTIAL, WHOLE } Reading;

struct Splitter {
    PyObject_HEAD
    char *held; /* a message whose header is not whole yet */
    Py_ssize_t held_length, held_room;
    PyObject *channel; /* of a message whose body is not whole yet; NULL: there is none */
    PyObject *body;    /* bytes, as many as there is room for now */
    Py_ssize_t size;   /* of the whole body */
    Py_ssize_t filled; /* of the body and the line's end behind it */
    PyObject **channels;
};

/* -- headers */

typedef struct {
    const char *at, *end;
} Cursor;

typedef struct {
    Slice channel;
    Py_ssize_t body_length;
} Head;

static Reading pass_text(Cursor *cursor, const char *text, Py_ssize_t length) {
    Py_ssize_t there = Py_MIN(length, cursor->end - cursor->at);
    if (memcmp(cursor->at, text, (size_t)there) != 0) return STRANGE;
    if (there < length) return PARTIAL;
    cursor->at += length;
    return WHOLE;
}

/* A number behind a sign, written as Redis writes it. */
static Reading pass_number(Cursor *cursor, const char *sign, Py_ssize_t *length) {
    Reading reading = pass_text(cursor, sign, 1);
    if (reading != WHOLE) return reading;
    const char *first = cursor->at;
    for (*length = 0; cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9'; cursor->at++) {
        if (cursor->at - first >= LENGTH_DIGITS || (cursor->at > first && *first == '0')) return STRANGE;
        *length = *length * 10 + (*cursor->at - '0');
    }
    if (cursor->at == first) return cursor->at == cursor->end ? PARTIAL : STRANGE;
    return pass_text(cursor, "\r\n", 2);
}

/* The length of a bulk string. */
static Reading pass_length(Cursor *cursor, Py_ssize_t *length) { return pass_number(cursor, "$", length); }

static Reading pass_name(Cursor *cursor, Slice *name) {
    Reading reading = pass_length(cursor, &name->length);
    if (reading != WHOLE) return reading;
    if (cursor->end - cursor->at < name->length) return PARTIAL;
    name->at = cursor->at;
    cursor->at += name->length;
    return pass_text(cursor, "\r\n", 2);
}

#define MESSAGE "*3\r\n$7\r\nmessage\r\n"
#define PATTERN_MESSAGE "*4\r\n$8\r\npmessage\r\n"

/* All of a message before its body. PARTIAL only if the twin, too, would wait for more. */
static Reading pass_head(Cursor *cursor, Head *head) {
    bool has_pattern = cursor->end - cursor->at > 1 && cursor->at[1] == '4';
    Reading reading = has_pattern ? pass_text(cursor, PATTERN_MESSAGE, sizeof PATTERN_MESSAGE - 1)
                                  : pass_text(cursor, MESSAGE, sizeof MESSAGE - 1);
    Slice pattern;
    if (reading == WHOLE && has_pattern) reading = pass_name(cursor, &pattern);
    if (reading == WHOLE) reading = pass_name(cursor, &head->channel);
    if (reading == WHOLE) reading = pass_length(cursor, &head->body_length);
    return reading;
}

/* -- what comes of them */

/* A channel's name: the same object each time, as long as there are not too many of them. */
static PyObject *channel_of(Splitter *self, const Slice *name) {
    if (name->length > LONGEST_CHANNEL) return PyBytes_FromStringAndSize(name->at, name->length);
    PyObject **set = self->channels + (keyed_hash(name->at, name->length) & (SETS - 1)) * WAYS;
    for (int way = 0; way < WAYS && set[way] != NULL; way++)
        if (PyBytes_GET_SIZE(set[way]) == name->length &&
            memcmp(PyBytes_AS_STRING(set[way]), name->at, (size_t)name->length) == 0)
            return Py_NewRef(set[way]);
    PyObject *channel = PyBytes_FromStringAndSize(name->at, name->length);
    if (channel == NULL) return NULL;
    Py_XDECREF(set[WAYS - 1]);
    memmove(set + 1, set, (WAYS - 1) * sizeof *set);
    set[0] = Py_NewRef(channel);
    return channel;
}

/* Takes over the references to both; the body may be NULL with an exception. */
static int append_message(PyObject *frames, PyObject *channel, PyObject *body) {
    PyObject *frame = body == NULL ? NULL : PyTuple_New(2);
    if (frame == NULL) {
        Py_DECREF(channel);
        Py_XDECREF(body);
        return -1;
    }
    PyTuple_SET_ITEM(frame, 0, channel);
    PyTuple_SET_ITEM(frame, 1, body);
    int outcome = PyList_Append(frames, frame);
    Py_DECREF(frame);
    return outcome;
}

static int make_room(Splitter *self, Py_ssize_t needed) {
    Py_ssize_t room = PyBytes_GET_SIZE(self->body);
    if (needed <= room) return 0;
    room = room > self->size / 2 ? self->size : room * 2;
    if (_PyBytes_Resize(&self->body, Py_MAX(room, needed)) == 0) return 0;
    Py_CLEAR(self->channel); /* the body is gone already */
    return -1;
}

/* Goes on with a body of which a part is missing. Of the line's end behind it only the length counts, as for the twin. */
static int fill(Splitter *self, Cursor *cursor, PyObject *frames) {
    Py_ssize_t count = Py_MIN(self->size + 2 - self->filled, cursor->end - cursor->at);
    Py_ssize_t of_body = Py_MIN(count, self->size - self->filled);
    if (of_body > 0) {
        if (make_room(self, self->filled + of_body) < 0) return -1;
        memcpy(PyBytes_AS_STRING(self->body) + self->filled, cursor->at, (size_t)of_body);
    }
    self->filled += count;
    cursor->at += count;
    if (self->filled < self->size + 2) return 0;
    PyObject *channel = self->channel, *body = self->body;
    self->channel = self->body = NULL;
    return append_message(frames, channel, body);
}

/* Takes the message that begins with a head, whose body begins at the cursor. */
static int take_message(Splitter *self, const Head *head, Cursor *cursor, PyObject *frames) {
    PyObject *channel = channel_of(self, &head->channel);
    if (channel == NULL) return -1;
    if (cursor->end - cursor->at >= head->body_length + 2) {
        const char *body = cursor->at;
        cursor->at += head->body_length + 2;
        return append_message(frames, channel, PyBytes_FromStringAndSize(body, head->body_length));
    }
    Py_ssize_t room = Py_MIN(head->body_length, Py_MAX(FIRST_ROOM, cursor->end - cursor->at));
    PyObject *body = PyBytes_FromStringAndSize(NULL, room);
    if (body == NULL) {
        Py_DECREF(channel);
        return -1;
    }
    self->channel = channel;
    self->body = body;
    self->size = head->body_length;
    self->filled = 0;
    return fill(self, cursor, frames);
}

/* -- what is held */

static int hold(Splitter *self, const char *from, Py_ssize_t length) {
    if (self->held_length + length > self->held_room) {
        Py_ssize_t room = Py_MAX(2 * self->held_room, self->held_length + length);
        char *held = PyMem_Realloc(self->held, (size_t)room);
        if (held == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        self->held = held;
        self->held_room = room;
    }
    memcpy(self->held + self->held_length, from, (size_t)length);
    self->held_length += length;
    return 0;
}

/* Goes on with a header of which a part is missing. STRANGE leaves the cursor and what is held as they were; -1 with an
 * exception. */
static int take_held(Splitter *self, Cursor *cursor, PyObject *frames) {
    const Py_ssize_t before = self->held_length;
    const char *from = cursor->at;
    Reading reading = PARTIAL;
    for (Py_ssize_t added = LEAST_ADDED; reading == PARTIAL && from < cursor->end; added *= 2) {
        Py_ssize_t length = Py_MIN(added, cursor->end - from);
        if (self->held_length + length > LONGEST_HEADER) {
            reading = STRANGE;
            break;
        }
        if (hold(self, from, length) < 0) return -1;
        from += length;
        Head head;
        Cursor joined = {self->held, self->held + self->held_length};
        reading = pass_head(&joined, &head);
        if (reading != WHOLE) continue;
        cursor->at += joined.at - self->held - before;
        self->held_length = 0; /* the head's channel still lies there */
        return take_message(self, &head, cursor, frames) < 0 ? -1 : WHOLE;
    }
    if (reading == STRANGE)
        self->held_length = before;
    else
        cursor->at = cursor->end;
    return (int)reading;
}

/* Takes messages until there is no more, or something odd, where the cursor is left; -1 with an exception. */
static int take_messages(Splitter *self, Cursor *cursor, PyObject *frames) {
    if (self->channel != NULL && fill(self, cursor, frames) < 0) return -1;
    if (self->held_length > 0 && cursor->at < cursor->end) {
        int reading = take_held(self, cursor, frames);
        if (reading < 0 || reading == STRANGE) return reading;
    }
    while (cursor->at < cursor->end) {
        Head head;
        Py_ssize_t number;
        Cursor ahead = *cursor;
        if (*cursor->at == ':') {
            if (pass_number(&ahead, ":", &number) != WHOLE) return 0;
            *cursor = ahead;
            continue;
        }
        Reading reading = pass_head(&ahead, &head);
        if (reading == STRANGE || (reading == PARTIAL && cursor->end - cursor->at > LONGEST_HEADER)) return 0;
        if (reading == PARTIAL) {
            if (hold(self, cursor->at, cursor->end - cursor->at) < 0) return -1;
            cursor->at = cursor->end;
        } else {
            *cursor = ahead;
            if (take_message(self, &head, cursor, frames) < 0) return -1;
        }
    }
    return 0;
}

Py_ssize_t splitter_split(Splitter *self, const char *block, Py_ssize_t length, Py_ssize_t begin, PyObject *frames) {
    Cursor cursor = {block + begin, block + length};
    return take_messages(self, &cursor, frames) < 0 ? -1 : cursor.at - block;
}

/* -- what Python calls */

/* split(block, begin, frames): appends the messages; the place in the block of something odd, or its end. */
static PyObject *Splitter_split(Splitter *self, PyObject *const *arguments, Py_ssize_t count) {
    Py_buffer block;
    if (count != 3 || !PyList_Check(arguments[2])) {
        PyErr_SetString(PyExc_TypeError, "split(block, begin: int, frames: list)");
        return NULL;
    }
    Py_ssize_t begin = PyLong_AsSsize_t(arguments[1]);
    if (begin == -1 && PyErr_Occurred()) return NULL;
    if (PyObject_GetBuffer(arguments[0], &block, PyBUF_SIMPLE) < 0) return NULL; /* bytes; a bytearray on Windows */
    PyObject *place = NULL;
    if (begin < 0 || begin > block.len) {
        PyErr_SetString(PyExc_ValueError, "begin lies outside of the block");
    } else {
        Py_ssize_t end = splitter_split(self, block.buf, block.len, begin, arguments[2]);
        if (end >= 0) place = PyLong_FromSsize_t(end);
    }
    PyBuffer_Release(&block);
    return place;
}

/* -- a run: what several reads brought */

typedef struct {
    PyObject *moments, *frames; /* parallel lists */
    Py_ssize_t piece_count, bytes;
    Py_ssize_t behind_bytes; /* of the last pieces, those that had waited one behind the other */
} Run;

/* As many moments as there are frames: the new frames came at this one, or with those before if they came later. */
static int give_moments(const Run *run, PyObject *at_ns) {
    Py_ssize_t before = PyList_GET_SIZE(run->moments), count = PyList_GET_SIZE(run->frames);
    if (before > 0 && before < count) {
        PyObject *last = PyList_GET_ITEM(run->moments, before - 1);
        if (last != at_ns) {
            int is_earlier = PyObject_RichCompareBool(at_ns, last, Py_LT);
            if (is_earlier < 0) return -1;
            if (is_earlier) at_ns = last;
        }
    }
    for (; before < count; before++)
        if (PyList_Append(run->moments, at_ns) < 0) return -1;
    return 0;
}

/* What is left of a piece in which something odd comes, and its frames until there, which leave the run. */
static PyObject *left_of(const Run *run, Py_ssize_t first, PyObject *at_ns, PyObject *block, Py_ssize_t place) {
    Py_ssize_t count = PyList_GET_SIZE(run->frames);
    PyObject *frames = PyList_GetSlice(run->frames, first, count);
    if (frames == NULL || PyList_SetSlice(run->frames, first, count, NULL) < 0) {
        Py_XDECREF(frames);
        return NULL;
    }
    return Py_BuildValue("OOnN", at_ns, block, place, frames);
}

/* None: all of the piece was taken; NULL with an exception. */
static PyObject *take_piece(Splitter *self, Run *run, PyObject *piece) {
    Py_buffer block;
    if (!PyTuple_Check(piece) || PyTuple_GET_SIZE(piece) != 3 || !PyLong_Check(PyTuple_GET_ITEM(piece, 0))) {
        PyErr_SetString(PyExc_TypeError, "a piece is (at_ns: int, bytes, has_waited)");
        return NULL;
    }
    PyObject *at_ns = PyTuple_GET_ITEM(piece, 0), *left = NULL;
    int has_waited = PyObject_IsTrue(PyTuple_GET_ITEM(piece, 2));
    if (has_waited < 0 || PyObject_GetBuffer(PyTuple_GET_ITEM(piece, 1), &block, PyBUF_SIMPLE) < 0) return NULL;
    run->piece_count++;
    run->bytes += block.len;
    run->behind_bytes = (has_waited ? run->behind_bytes : 0) + block.len;
    Py_ssize_t first = PyList_GET_SIZE(run->frames);
    Py_ssize_t end = splitter_split(self, block.buf, block.len, 0, run->frames);
    if (end == block.len)
        left = give_moments(run, at_ns) < 0 ? NULL : Py_NewRef(Py_None);
    else if (end >= 0)
        left = left_of(run, first, at_ns, PyTuple_GET_ITEM(piece, 1), end);
    PyBuffer_Release(&block);
    return left;
}

/* split_run(pieces, moments, frames, behind_bytes, most_bytes): takes pieces from an iterator until there are no more,
 * or so many bytes were taken, or something odd comes. How many, how much had piled up, and what is left of the last
 * one: (at_ns, block, place, frames), or None. */
static PyObject *Splitter_split_run(Splitter *self, PyObject *const *arguments, Py_ssize_t count) {
    if (count != 5 || !PyIter_Check(arguments[0]) || !PyList_Check(arguments[1]) || !PyList_Check(arguments[2])) {
        PyErr_SetString(PyExc_TypeError,
                        "split_run(pieces: iterator, moments: list, frames: list, behind_bytes, most_bytes)");
        return NULL;
    }
    Run run = {.moments = arguments[1], .frames = arguments[2], .behind_bytes = PyLong_AsSsize_t(arguments[3])};
    Py_ssize_t most_bytes = PyLong_AsSsize_t(arguments[4]);
    if (PyErr_Occurred()) return NULL;
    PyObject *left = Py_NewRef(Py_None), *piece;
    while (left == Py_None && run.bytes < most_bytes && (piece = PyIter_Next(arguments[0])) != NULL) {
        Py_DECREF(left);
        left = take_piece(self, &run, piece);
        Py_DECREF(piece);
    }
    if (PyErr_Occurred()) {
        Py_XDECREF(left);
        return NULL;
    }
    return Py_BuildValue("nnN", run.piece_count, run.behind_bytes, left);
}

/* -- straight: without frames */

#ifdef __linux__
#include <sched.h>
#include <time.h>

#define YIELD_EVERY_NS 100000

/* As broker/transport/redis/courtesy.py explains it. */
typedef struct {
    long long late_ns;          /* what arrived then or before was late when this began, in ns since the epoch */
    long long began_ns, next_ns; /* of the monotonic clock: when it began, and from when on others may go first again */
} Courtesy;

static long long monotonic_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void begin_courtesy(Courtesy *courtesy) { courtesy->began_ns = courtesy->next_ns = monotonic_ns(); }

/* Something that arrived at a moment was taken. */
static void let_others_first(Courtesy *courtesy, long long at_ns) {
    long long now_ns = monotonic_ns();
    if (now_ns < courtesy->next_ns || at_ns <= courtesy->late_ns + (now_ns - courtesy->began_ns)) return;
    sched_yield();
    courtesy->next_ns = monotonic_ns() + YIELD_EVERY_NS;
}
#else
typedef struct {
    long long late_ns;
} Courtesy;

static void begin_courtesy(Courtesy *courtesy) {}

static void let_others_first(Courtesy *courtesy, long long at_ns) {}
#endif

#define LONGEST_JOINED (1 << 16)
#define MANY 8 /* after so many an odd message is left alone, so that what follows it goes straight, too; else with its piece */

/* Takes messages until there is no more (WHOLE), one is not whole (PARTIAL), or not ordinary (STRANGE), where the cursor is
 * left; -1 with an exception. */
static int go_through(Straight *straight, Cursor *cursor) {
    while (cursor->at < cursor->end) {
        Head head;
        Cursor ahead = *cursor;
        Reading reading = pass_head(&ahead, &head);
        if (reading == WHOLE && ahead.end - ahead.at < head.body_length + 2) reading = PARTIAL;
        if (reading != WHOLE) return (int)reading;
        Slice body = {ahead.at, head.body_length};
        Verdict verdict = straight_take(straight, &head.channel, &body);
        if (verdict != TAKEN) return verdict == RAISED ? -1 : STRANGE;
        cursor->at = ahead.at + head.body_length + 2;
    }
    return WHOLE;
}

/* Of the message at the cursor; 0 if there is none, or it is not whole. */
static Py_ssize_t length_of_message(const Cursor *cursor) {
    Head head;
    Cursor ahead = *cursor;
    if (pass_head(&ahead, &head) != WHOLE || ahead.end - ahead.at < head.body_length + 2) return 0;
    return ahead.at + head.body_length + 2 - cursor->at;
}

typedef struct {
    PyObject *at_ns, *block; /* borrowed from the piece */
    bool has_waited;
} Parts;

static bool has_parts(PyObject *piece, Parts *parts) {
    if (!PyTuple_Check(piece) || PyTuple_GET_SIZE(piece) != 3 || !PyLong_Check(PyTuple_GET_ITEM(piece, 0)) ||
        !PyBytes_Check(PyTuple_GET_ITEM(piece, 1))) {
        PyErr_SetString(PyExc_TypeError, "a piece is (at_ns: int, bytes, has_waited)");
        return false;
    }
    *parts = (Parts){PyTuple_GET_ITEM(piece, 0), PyTuple_GET_ITEM(piece, 1), PyTuple_GET_ITEM(piece, 2) == Py_True};
    return true;
}

/* Pieces, a deque, being taken from. */
typedef struct {
    PyObject *pieces;
    Py_ssize_t bytes, behind_bytes; /* as of a Run */
    Py_ssize_t most_bytes;          /* after so many no other piece is begun */
} Walk;

static PyObject *first_of(const Walk *walk) { return PySequence_GetItem(walk->pieces, 0); }

static PyObject *take_first(const Walk *walk) { return PyObject_CallMethod(walk->pieces, "popleft", NULL); }

/* Puts what is left of a piece in front of the others; takes over the reference to its bytes. What it counted for is
 * counted again when it is taken. */
static int put_back(Walk *walk, PyObject *at_ns, PyObject *rest) {
    PyObject *done = rest == NULL ? NULL : PyObject_CallMethod(walk->pieces, "appendleft", "((ONO))", at_ns, rest, Py_True);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

/* The last message of a piece is not whole: puts what is left of the piece in front of the next one, if there is one and it
 * is not too long. Whether it did; -1 with an exception. */
static int join(Walk *walk, const char *rest, Py_ssize_t length) {
    if (walk->bytes + length >= walk->most_bytes || PyObject_Size(walk->pieces) <= 0) return PyErr_Occurred() ? -1 : 0;
    PyObject *piece = first_of(walk), *joined = NULL, *gone = NULL;
    Parts parts;
    int outcome = -1;
    if (piece != NULL && has_parts(piece, &parts)) {
        Py_ssize_t more = PyBytes_GET_SIZE(parts.block);
        if (length + more > LONGEST_JOINED) {
            outcome = 0;
        } else if ((joined = PyBytes_FromStringAndSize(NULL, length + more)) != NULL && (gone = take_first(walk)) != NULL) {
            memcpy(PyBytes_AS_STRING(joined), rest, (size_t)length);
            memcpy(PyBytes_AS_STRING(joined) + length, PyBytes_AS_STRING(parts.block), (size_t)more);
            if (!parts.has_waited) walk->behind_bytes = -length;
            outcome = put_back(walk, parts.at_ns, Py_NewRef(joined)) < 0 ? -1 : 1;
        }
    }
    Py_XDECREF(gone);
    Py_XDECREF(joined);
    Py_XDECREF(piece);
    return outcome;
}

/* Takes the first piece, of these parts. Whether to go on with the next; -1 with an exception. */
static int walk_on(Walk *walk, Straight *straight, const Parts *parts) {
    Verdict verdict = straight_reach(straight, parts->at_ns);
    if (verdict != TAKEN) return verdict == RAISED ? -1 : 0;
    PyObject *gone = take_first(walk);
    if (gone == NULL) return -1;
    Py_DECREF(gone);
    Cursor cursor = {PyBytes_AS_STRING(parts->block), PyBytes_AS_STRING(parts->block) + PyBytes_GET_SIZE(parts->block)};
    walk->bytes += cursor.end - cursor.at;
    walk->behind_bytes = (parts->has_waited ? walk->behind_bytes : 0) + (cursor.end - cursor.at);
    int reading = go_through(straight, &cursor);
    if (reading < 0 || reading == WHOLE) return reading < 0 ? -1 : 1;
    Py_ssize_t left = cursor.end - cursor.at;
    walk->bytes -= left;
    walk->behind_bytes -= left;
    int is_joined = reading == PARTIAL ? join(walk, cursor.at, left) : 0;
    if (is_joined != 0) return is_joined;
    Py_ssize_t odd = reading == STRANGE && straight_count(straight) >= MANY ? length_of_message(&cursor) : 0;
    if (odd > 0 && odd < left) {
        if (put_back(walk, parts->at_ns, PyBytes_FromStringAndSize(cursor.at + odd, left - odd)) < 0) return -1;
        left = odd;
    }
    return put_back(walk, parts->at_ns, PyBytes_FromStringAndSize(cursor.at, left));
}

/* go_straight(pieces: deque, straight, behind_bytes, most_bytes, late_ns): takes pieces until there are no more, or so many
 * bytes were taken, or something comes that is not ordinary, or not whole; between two of them others go first, unless what
 * was taken is late: what arrived at this moment (ns since the epoch) is late now. How many bytes, and how much had piled up. */
static PyObject *Splitter_go_straight(Splitter *self, PyObject *const *arguments, Py_ssize_t count) {
    if (count != 5 || !Py_IS_TYPE(arguments[1], &Straight_Type)) {
        PyErr_SetString(PyExc_TypeError, "go_straight(pieces: deque, straight, behind_bytes, most_bytes, late_ns)");
        return NULL;
    }
    Walk walk = {.pieces = arguments[0], .behind_bytes = PyLong_AsSsize_t(arguments[2])};
    walk.most_bytes = PyLong_AsSsize_t(arguments[3]);
    Courtesy courtesy = {.late_ns = PyLong_AsLongLong(arguments[4])};
    if (PyErr_Occurred()) return NULL;
    begin_courtesy(&courtesy);
    int goes_on = self->channel == NULL && self->held_length == 0;
    while (goes_on > 0 && walk.bytes < walk.most_bytes && (goes_on = PyObject_Size(walk.pieces) > 0) > 0) {
        PyObject *piece = first_of(&walk);
        Parts parts;
        goes_on = piece != NULL && has_parts(piece, &parts) ? walk_on(&walk, (Straight *)arguments[1], &parts) : -1;
        if (goes_on > 0) let_others_first(&courtesy, PyLong_AsLongLong(parts.at_ns));
        Py_XDECREF(piece);
    }
    return PyErr_Occurred() ? NULL : Py_BuildValue("nn", walk.bytes, walk.behind_bytes);
}

/* release(): what is held of a header; it is held no longer. */
static PyObject *Splitter_release(Splitter *self, PyObject *unused) {
    PyObject *held = PyBytes_FromStringAndSize(self->held, self->held_length);
    if (held != NULL) self->held_length = 0;
    return held;
}

static PyObject *Splitter_new(PyTypeObject *type, PyObject *arguments, PyObject *unused) {
    if (!PyArg_ParseTuple(arguments, ":Splitter")) return NULL;
    Splitter *self = (Splitter *)type->tp_alloc(type, 0);
    if (self == NULL) return NULL;
    self->channels = PyMem_Calloc(SETS * WAYS, sizeof(PyObject *));
    if (self->channels == NULL) {
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    return (PyObject *)self;
}

static void Splitter_dealloc(Splitter *self) {
    for (int place = 0; self->channels != NULL && place < SETS * WAYS; place++) Py_XDECREF(self->channels[place]);
    PyMem_Free(self->channels);
    PyMem_Free(self->held);
    Py_XDECREF(self->channel);
    Py_XDECREF(self->body);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyMethodDef methods[] = {
    {"split", (PyCFunction)(void (*)(void))Splitter_split, METH_FASTCALL, NULL},
    {"split_run", (PyCFunction)(void (*)(void))Splitter_split_run, METH_FASTCALL, NULL},
    {"go_straight", (PyCFunction)(void (*)(void))Splitter_go_straight, METH_FASTCALL, NULL},
    {"release", (PyCFunction)Splitter_release, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

PyTypeObject Splitter_Type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "broker.native._compiled.Splitter",
    .tp_basicsize = sizeof(Splitter),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "Takes messages out of what Redis sends to a subscriber.",
    .tp_new = Splitter_new,
    .tp_dealloc = (destructor)Splitter_dealloc,
    .tp_methods = methods,
};

int add_replies(PyObject *module) {
    if (PyType_Ready(&Splitter_Type) < 0) return -1;
    return PyModule_AddObjectRef(module, "Splitter", (PyObject *)&Splitter_Type);
}
