/* Takes ordinary requests, answers and events in. The twins are Correlation in broker/observe/correlation.py, and
 * for events Pipeline in broker/observe/pipeline.py.
 *
 * What is not ordinary, or not known yet, ends a run of frames: the twin takes that one, and then it goes on here.
 */

#include "native.h"
#include "structmember.h"

#define MOST_KEY 512
#define LEAST_KNOWN 16
#define MOST_KNOWN 4096

/* -- counters: as Counter in broker/observe/counters.py */

typedef struct {
    PyObject_HEAD
    long long name_space, packet_type, packets, bytes, undecodable, ours;
} Counter;

static PyMemberDef counter_members[] = {
    {"namespace", T_LONGLONG, offsetof(Counter, name_space), 0, NULL},
    {"packet_type", T_LONGLONG, offsetof(Counter, packet_type), 0, NULL},
    {"packets", T_LONGLONG, offsetof(Counter, packets), 0, NULL},
    {"bytes", T_LONGLONG, offsetof(Counter, bytes), 0, NULL},
    {"undecodable", T_LONGLONG, offsetof(Counter, undecodable), 0, NULL},
    {"ours", T_LONGLONG, offsetof(Counter, ours), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

static int Counter_init(Counter *self, PyObject *arguments, PyObject *unused) {
    return PyArg_ParseTuple(arguments, "LL:Counter", &self->name_space, &self->packet_type) ? 0 : -1;
}

static PyTypeObject Counter_Type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "broker.native._compiled.Counter",
    .tp_basicsize = sizeof(Counter),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "Counts one packet type of one namespace.",
    .tp_new = PyType_GenericNew,
    .tp_init = (initproc)Counter_init,
    .tp_members = counter_members,
};

/* -- fast lanes: what is ordinary on a channel */

typedef struct {
    uint64_t hash;
    char *key; /* NULL: nothing here */
    Py_ssize_t length;
    PyObject *value;
} Known;

enum { REQUESTS = 'Q', ANSWERS = 'S', EVENTS = 'E' };

struct FastLane {
    PyObject_HEAD
    int takes; /* one of the letters below */
    Counter *counter;
    PyObject *routes;  /* of the lane: dict */
    PyObject *senders; /* of the lane: set */
    char prefix[16];
    Py_ssize_t prefix_length;
    Known *known; /* what was found in routes or senders, by the bytes in which packets say it */
    Py_ssize_t mask, count;
};

static void forget_known(FastLane *self) {
    for (Py_ssize_t at = 0; self->known != NULL && at <= self->mask; at++) {
        PyMem_Free(self->known[at].key);
        Py_XDECREF(self->known[at].value);
    }
    PyMem_Free(self->known);
    self->known = NULL;
    self->mask = self->count = 0;
}

static PyObject *known(const FastLane *self, uint64_t hash, const char *key, Py_ssize_t length) {
    if (self->known == NULL) return NULL;
    for (Py_ssize_t at = (Py_ssize_t)(hash & (uint64_t)self->mask);; at = (at + 1) & self->mask) {
        const Known *one = &self->known[at];
        if (one->key == NULL) return NULL;
        if (one->hash == hash && one->length == length && memcmp(one->key, key, (size_t)length) == 0) return one->value;
    }
}

static void put(Known *table, Py_ssize_t mask, Known one) {
    Py_ssize_t at = (Py_ssize_t)(one.hash & (uint64_t)mask);
    while (table[at].key != NULL) at = (at + 1) & mask;
    table[at] = one;
}

/* Nothing is lost if memory is short: it is looked up again. */
static void know(FastLane *self, uint64_t hash, const char *key, Py_ssize_t length, PyObject *value) {
    if (self->count >= MOST_KNOWN) forget_known(self);
    if (self->known == NULL || self->count * 2 > self->mask) {
        Py_ssize_t room = self->known == NULL ? LEAST_KNOWN : (self->mask + 1) * 2;
        Known *table = PyMem_Calloc((size_t)room, sizeof(Known));
        if (table == NULL) return;
        for (Py_ssize_t at = 0; self->known != NULL && at <= self->mask; at++)
            if (self->known[at].key != NULL) put(table, room - 1, self->known[at]);
        PyMem_Free(self->known);
        self->known = table;
        self->mask = room - 1;
    }
    Known one = {hash, PyMem_Malloc((size_t)length + 1), length, value};
    if (one.key == NULL) return;
    memcpy(one.key, key, (size_t)length);
    Py_INCREF(value);
    put(self->known, self->mask, one);
    self->count++;
}

static PyObject *FastLane_new(PyTypeObject *type, PyObject *arguments, PyObject *unused) {
    int takes;
    PyObject *counter, *routes, *senders;
    const char *prefix;
    Py_ssize_t length;
    if (!PyArg_ParseTuple(arguments, "CO!s#O!O!:FastLane", &takes, &Counter_Type, &counter, &prefix, &length,
                          &PyDict_Type, &routes, &PySet_Type, &senders))
        return NULL;
    if (length > (Py_ssize_t)sizeof(((FastLane *)0)->prefix)) {
        PyErr_SetString(PyExc_ValueError, "a prefix has at most 16 letters");
        return NULL;
    }
    FastLane *self = (FastLane *)type->tp_alloc(type, 0);
    if (self == NULL) return NULL;
    self->takes = takes;
    self->counter = (Counter *)Py_NewRef(counter);
    self->routes = Py_NewRef(routes);
    self->senders = Py_NewRef(senders);
    memcpy(self->prefix, prefix, (size_t)length);
    self->prefix_length = length;
    return (PyObject *)self;
}

static void FastLane_dealloc(FastLane *self) {
    forget_known(self);
    Py_XDECREF(self->counter);
    Py_XDECREF(self->routes);
    Py_XDECREF(self->senders);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

PyTypeObject FastLane_Type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "broker.native._compiled.FastLane",
    .tp_basicsize = sizeof(FastLane),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "What is ordinary on a channel.",
    .tp_new = FastLane_new,
    .tp_dealloc = (destructor)FastLane_dealloc,
};

/* -- what a packet says, looked up */

static char *append(char *to, const char *end, const Slice *slice) {
    Py_ssize_t length = slice->at == NULL ? 0 : slice->length;
    if (to == NULL || end - to < length + 2) return NULL;
    *to++ = slice->at == NULL ? 'n' : 's';
    if (length > 0) memcpy(to, slice->at, (size_t)length);
    to[length] = '\0'; /* which no plain text holds */
    return to + length + 1;
}

/* Four parts of a packet and a flag as one key. Its length; 0 if it is too long. */
static Py_ssize_t write_key(char *key, const Slice *const parts[4], char flag) {
    char *end = key;
    for (int part = 0; part < 4; part++) end = append(end, key + MOST_KEY, parts[part]);
    if (end == NULL || end >= key + MOST_KEY) return 0;
    *end++ = flag;
    return end - key;
}

static PyObject *text_or_none(const Slice *slice) {
    if (slice->at == NULL) Py_RETURN_NONE;
    return PyUnicode_DecodeASCII(slice->at, slice->length, NULL);
}

static PyObject *flag_of(char letter) { return letter == 'n' ? Py_None : letter == 't' ? Py_True : Py_False; }

/* What lies in the lane's routes under this, borrowed, and from now on known under a key; takes over the reference to
 * what is wanted, which may be NULL with an exception. */
static PyObject *learn_route(FastLane *lane, uint64_t hash, const char *key, Py_ssize_t length, PyObject *wanted) {
    if (wanted == NULL) return NULL;
    PyObject *route = PyDict_GetItemWithError(lane->routes, wanted);
    Py_DECREF(wanted);
    if (route == NULL || !PyBytes_Check(route) || PyBytes_GET_SIZE(route) != ROUTE_BYTES) return NULL;
    know(lane, hash, key, length, route);
    return route;
}

/* The lane's route of a request, borrowed; NULL without an exception if there is none yet. */
static PyObject *route_of(FastLane *lane, const Header *header) {
    const Slice *const parts[] = {&header->action, &header->caller, &header->sender, &header->level};
    char key[MOST_KEY];
    Py_ssize_t length = write_key(key, parts, header->tracing);
    if (length == 0) return NULL;
    uint64_t hash = keyed_hash(key, length);
    PyObject *route = known(lane, hash, key, length);
    if (route != NULL || header->level.at == NULL) return route;

    PyObject *action = text_or_none(&header->action), *caller = text_or_none(&header->caller);
    PyObject *sender = text_or_none(&header->sender), *wanted = NULL;
    long level = 0;
    for (Py_ssize_t place = 0; place < header->level.length; place++) level = level * 10 + (header->level.at[place] - '0');
    if (action != NULL && caller != NULL && sender != NULL)
        wanted = Py_BuildValue("OOOlO", action, caller, sender, level, flag_of(header->tracing));
    Py_XDECREF(action);
    Py_XDECREF(caller);
    Py_XDECREF(sender);
    return learn_route(lane, hash, key, length, wanted);
}

/* The known texts of an array, as a tuple; None where there is none. */
static PyObject *texts_of(const Slice *slice) {
    if (slice->at == NULL) Py_RETURN_NONE;
    PyObject *list = PyList_New(0), *tuple = NULL;
    const char *at = slice->at + 1;
    Slice text;
    while (list != NULL && next_text(&at, &text)) {
        PyObject *one = PyUnicode_DecodeASCII(text.at, text.length, NULL);
        if (one == NULL || PyList_Append(list, one) < 0) Py_CLEAR(list);
        Py_XDECREF(one);
    }
    if (list != NULL) tuple = PyList_AsTuple(list);
    Py_XDECREF(list);
    return tuple;
}

/* As route_of, of an event. */
static PyObject *route_of_event(FastLane *lane, const Header *header) {
    const Slice *const parts[] = {&header->event, &header->caller, &header->sender, &header->groups};
    char key[MOST_KEY];
    Py_ssize_t length = write_key(key, parts, header->broadcast);
    if (length == 0) return NULL;
    uint64_t hash = keyed_hash(key, length);
    PyObject *route = known(lane, hash, key, length);
    if (route != NULL) return route;

    PyObject *event = text_or_none(&header->event), *caller = text_or_none(&header->caller);
    PyObject *sender = text_or_none(&header->sender), *groups = texts_of(&header->groups), *wanted = NULL;
    if (event != NULL && caller != NULL && sender != NULL && groups != NULL)
        wanted = PyTuple_Pack(5, event, caller, sender, flag_of(header->broadcast), groups);
    Py_XDECREF(event);
    Py_XDECREF(caller);
    Py_XDECREF(sender);
    Py_XDECREF(groups);
    return learn_route(lane, hash, key, length, wanted);
}

/* Whether a sender was heard on the lane; -1 with an exception. */
static int is_heard(FastLane *lane, const Slice *sender) {
    uint64_t hash = keyed_hash(sender->at, sender->length);
    if (known(lane, hash, sender->at, sender->length) != NULL) return 1;
    PyObject *text = text_or_none(sender);
    if (text == NULL) return -1;
    int is_there = PySet_Contains(lane->senders, text);
    Py_DECREF(text);
    if (is_there == 1) know(lane, hash, sender->at, sender->length, Py_None);
    return is_there;
}

/* -- the intake */

struct Intake {
    PyObject_HEAD
    Young *young;
    Rows *rows;
    PyObject *others; /* keys of calls that are not young: set */
    PyObject *soon;   /* (deadline, key) of calls that end while they are young: list */
    long long id_length, longest_timeout_ms, waiting_after_ns;
};

/* The key of a call: the prefix of its namespace, then its id. Its length; 0 if it is too long. */
static Py_ssize_t key_of(const FastLane *lane, const Slice *id, char *key) {
    if (id->length > TEXT_BYTES) return 0;
    memcpy(key, lane->prefix, (size_t)lane->prefix_length);
    memcpy(key + lane->prefix_length, id->at, (size_t)id->length);
    return lane->prefix_length + id->length;
}

static uint8_t keep_text(char *to, const Slice *slice) {
    if (slice->at == NULL) return NO_TEXT;
    memcpy(to, slice->at, (size_t)slice->length);
    return (uint8_t)slice->length;
}

/* A call ends while it is young, and before anything that comes then is taken. */
static Verdict end_soon(Intake *self, Moment *moment, int64_t deadline_ns, const char *key, Py_ssize_t length) {
    PyObject *one = Py_BuildValue("Ls#", (long long)deadline_ns, key, length);
    if (one == NULL) return RAISED;
    if (deadline_ns < moment->until_ns) moment->until_ns = deadline_ns;
    int outcome = PyList_Append(self->soon, one);
    Py_DECREF(one);
    return outcome < 0 ? RAISED : TAKEN;
}

static Verdict take_request(Intake *self, FastLane *lane, Moment *moment, const char *body, Py_ssize_t size,
                            uint64_t frame) {
    Header header;
    char key[KEY_BYTES];
    if (!read_request_header(body, size, &header)) return ODD;
    Py_ssize_t length = key_of(lane, &header.id, key);
    if (length == 0 || header.request_id.length > TEXT_BYTES || header.parent_id.length > TEXT_BYTES) return ODD;
    if (header.id.length + header.request_id.length + header.parent_id.length > self->id_length) return ODD;
    if (header.timeout_ms > self->longest_timeout_ms || self->young->alive >= moment->room) return ODD;
    if (PySet_GET_SIZE(self->others) > 0) {
        PyObject *text = PyUnicode_DecodeASCII(key, length, NULL);
        if (text == NULL) return RAISED;
        int is_other = PySet_Contains(self->others, text);
        Py_DECREF(text);
        if (is_other != 0) return is_other < 0 ? RAISED : ODD;
    }
    if (young_find(self->young, key, length) != NULL) return ODD;
    PyObject *route = route_of(lane, &header);
    if (route == NULL) return PyErr_Occurred() ? RAISED : ODD;
    Slot *slot = young_add(self->young, key, length);
    if (slot == NULL) return RAISED;
    slot->route = Py_NewRef(route);
    slot->begin_ns = moment->at_ns;
    slot->deadline_ns = header.timeout_ms == 0 ? 0 : moment->at_ns + header.timeout_ms * 1000000;
    slot->frame = frame;
    slot->size = (uint32_t)size;
    slot->id_begin = (uint8_t)lane->prefix_length;
    slot->trace_length = keep_text(slot->trace, &header.request_id);
    slot->parent_length = keep_text(slot->parent, &header.parent_id);
    lane->counter->packets++;
    lane->counter->bytes += size;
    if (slot->deadline_ns != 0 && slot->deadline_ns <= moment->at_ns + self->waiting_after_ns)
        return end_soon(self, moment, slot->deadline_ns, key, length);
    return TAKEN;
}

static Verdict take_response(Intake *self, FastLane *lane, const Moment *moment, const char *body, Py_ssize_t size,
                             uint64_t frame) {
    Header header;
    char key[KEY_BYTES];
    if (!read_response_header(body, size, &header)) return ODD;
    Py_ssize_t length = key_of(lane, &header.id, key);
    if (length == 0) return ODD;
    int heard = is_heard(lane, &header.sender);
    if (heard <= 0) return heard < 0 ? RAISED : ODD;
    Slot *slot = young_find(self->young, key, length);
    if (slot == NULL) return ODD;
    if (slot->entry == NULL) {
        if (rows_answered(self->rows, slot, moment->at_ns, (uint32_t)size, frame) < 0) return RAISED;
    } else {
        PyObject *ending = Py_BuildValue("OiLK", moment->now, 0, (long long)size, (unsigned long long)frame);
        PyObject *row = ending == NULL ? NULL : PySequence_Concat(slot->entry, ending);
        int outcome = row == NULL ? -1 : rows_append(self->rows, row);
        Py_XDECREF(ending);
        Py_XDECREF(row);
        if (outcome < 0) return RAISED;
    }
    young_remove(self->young, slot);
    lane->counter->packets++;
    lane->counter->bytes += size;
    return TAKEN;
}

static Verdict take_event(Intake *self, FastLane *lane, const Moment *moment, const char *body, Py_ssize_t size,
                          uint64_t frame) {
    Header header;
    if (!read_event_header(body, size, &header)) return ODD;
    PyObject *route = route_of_event(lane, &header);
    if (route == NULL) return PyErr_Occurred() ? RAISED : ODD;
    PyObject *id = text_or_none(&header.id), *trace = text_or_none(&header.request_id);
    PyObject *parent = text_or_none(&header.parent_id), *row = NULL;
    if (id != NULL && trace != NULL && parent != NULL)
        row = Py_BuildValue("OOnOOOK", moment->now, route, size, id, trace, parent, (unsigned long long)frame);
    int outcome = row == NULL ? -1 : PyList_Append(moment->events, row);
    Py_XDECREF(id);
    Py_XDECREF(trace);
    Py_XDECREF(parent);
    Py_XDECREF(row);
    if (outcome < 0) return RAISED;
    lane->counter->packets++;
    lane->counter->bytes += size;
    return TAKEN;
}

Verdict intake_take(Intake *self, FastLane *lane, Moment *moment, const char *body, Py_ssize_t size, uint64_t frame) {
    switch (lane->takes) {
    case REQUESTS: return take_request(self, lane, moment, body, size, frame);
    case ANSWERS: return take_response(self, lane, moment, body, size, frame);
    case EVENTS: return take_event(self, lane, moment, body, size, frame);
    default: return ODD;
    }
}

Verdict intake_reach(Moment *moment, PyObject *now) {
    if (now == moment->now) return TAKEN;
    long long at_ns = PyLong_AsLongLong(now);
    if (at_ns == -1 && PyErr_Occurred()) return RAISED;
    if (at_ns >= moment->until_ns) return ODD;
    moment->at_ns = at_ns;
    moment->now = now;
    return TAKEN;
}

/* take(lanes, moments, frames, numbers, first, room, events, until_ns): the number of the first frame that is not
 * ordinary, or comes too late. */
static PyObject *Intake_take(Intake *self, PyObject *const *arguments, Py_ssize_t count) {
    if (count != 8 || !PyDict_Check(arguments[0]) || !PyList_Check(arguments[1]) || !PyList_Check(arguments[2]) ||
        !(arguments[3] == Py_None || PyList_Check(arguments[3])) || !PyList_Check(arguments[6])) {
        PyErr_SetString(PyExc_TypeError, "take(lanes: dict, moments: list, frames: list, numbers: list or None, first, "
                                         "room, events: list, until_ns)");
        return NULL;
    }
    PyObject *lanes = arguments[0], *moments = arguments[1], *frames = arguments[2];
    PyObject *numbers = arguments[3] == Py_None ? NULL : arguments[3];
    Moment moment = {.events = arguments[6], .until_ns = PyLong_AsLongLong(arguments[7])};
    Py_ssize_t place = PyLong_AsSsize_t(arguments[4]);
    moment.room = PyLong_AsSsize_t(arguments[5]);
    if (PyErr_Occurred()) return NULL;
    for (; place < PyList_GET_SIZE(frames) && place < PyList_GET_SIZE(moments); place++) {
        PyObject *pair = PyList_GET_ITEM(frames, place);
        if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2) break;
        PyObject *body = PyTuple_GET_ITEM(pair, 1);
        if (!PyBytes_Check(body) || PyBytes_GET_SIZE(body) >= UINT32_MAX) break;
        PyObject *lane = PyDict_GetItemWithError(lanes, PyTuple_GET_ITEM(pair, 0));
        if (lane == NULL || !Py_IS_TYPE(lane, &FastLane_Type)) {
            if (PyErr_Occurred()) return NULL;
            break;
        }
        uint64_t frame = 0;
        if (numbers != NULL) {
            if (place >= PyList_GET_SIZE(numbers)) break;
            frame = PyLong_AsUnsignedLongLong(PyList_GET_ITEM(numbers, place));
            if (frame == (uint64_t)-1 && PyErr_Occurred()) return NULL;
        }
        Verdict verdict = intake_reach(&moment, PyList_GET_ITEM(moments, place));
        if (verdict == TAKEN)
            verdict = intake_take(self, (FastLane *)lane, &moment, PyBytes_AS_STRING(body), PyBytes_GET_SIZE(body), frame);
        if (verdict == RAISED) return NULL;
        if (verdict == ODD) break;
    }
    return PyLong_FromSsize_t(place);
}

static PyObject *Intake_take_soon(Intake *self, PyObject *unused) {
    PyObject *soon = self->soon;
    self->soon = PyList_New(0);
    if (self->soon == NULL) self->soon = Py_NewRef(soon);
    return soon;
}

static PyObject *Intake_new(PyTypeObject *type, PyObject *arguments, PyObject *unused) {
    PyObject *young, *rows, *others;
    long long id_length, longest_timeout_ms, waiting_after_ns;
    if (!PyArg_ParseTuple(arguments, "O!O!O!LLL:Intake", &Young_Type, &young, &Rows_Type, &rows, &PySet_Type, &others,
                          &id_length, &longest_timeout_ms, &waiting_after_ns))
        return NULL;
    Intake *self = (Intake *)type->tp_alloc(type, 0);
    if (self == NULL) return NULL;
    self->young = (Young *)Py_NewRef(young);
    self->rows = (Rows *)Py_NewRef(rows);
    self->others = Py_NewRef(others);
    self->soon = PyList_New(0);
    self->id_length = id_length;
    self->longest_timeout_ms = longest_timeout_ms;
    self->waiting_after_ns = waiting_after_ns;
    if (self->soon == NULL) Py_CLEAR(self);
    return (PyObject *)self;
}

static void Intake_dealloc(Intake *self) {
    Py_XDECREF(self->young);
    Py_XDECREF(self->rows);
    Py_XDECREF(self->others);
    Py_XDECREF(self->soon);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyObject *Intake_has_soon(Intake *self, void *unused) { return PyBool_FromLong(PyList_GET_SIZE(self->soon) > 0); }

static PyGetSetDef intake_attributes[] = {
    {"has_soon", (getter)Intake_has_soon, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMethodDef intake_methods[] = {
    {"take", (PyCFunction)(void (*)(void))Intake_take, METH_FASTCALL, NULL},
    {"take_soon", (PyCFunction)Intake_take_soon, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

PyTypeObject Intake_Type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "broker.native._compiled.Intake",
    .tp_basicsize = sizeof(Intake),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "Takes ordinary requests and answers in.",
    .tp_new = Intake_new,
    .tp_dealloc = (destructor)Intake_dealloc,
    .tp_methods = intake_methods,
    .tp_getset = intake_attributes,
};

int add_intake(PyObject *module) {
    if (PyType_Ready(&Counter_Type) < 0 || PyType_Ready(&FastLane_Type) < 0 || PyType_Ready(&Intake_Type) < 0) return -1;
    if (PyModule_AddObjectRef(module, "Counter", (PyObject *)&Counter_Type) < 0) return -1;
    if (PyModule_AddObjectRef(module, "FastLane", (PyObject *)&FastLane_Type) < 0) return -1;
    return PyModule_AddObjectRef(module, "Intake", (PyObject *)&Intake_Type);
}
