/* Takes ordinary messages straight to rows and chunk, without an object for each. The twin is to make frames of them, and
 * to give them to CaptureWriter and Pipeline: Intake in broker/probe/intake.py.
 *
 * What is not ordinary is left where it is, and all behind it.
 */

#include "native.h"
#include "structmember.h"

#define WAYS 256 /* a power of two */

/* What is known of a channel, while nothing else runs that could change it. */
typedef struct {
    PyObject *channel; /* bytes; NULL: nothing here */
    FastLane *lane;    /* borrowed of the lanes */
    uint16_t number;   /* in the chunk */
} Way;

struct Straight {
    PyObject_HEAD
    Intake *intake;
    PyObject *lanes;         /* FastLane by channel: dict */
    PyObject *known;         /* channels of which nobody else must be told, a set; or None: all */
    PyObject *raw, *offsets; /* of the chunk: bytearray; None and NULL where nothing is kept */
    PyObject *ids;           /* numbers of channels in the chunk: dict */
    uint64_t base;
    Py_ssize_t full;
    long long chunk_until_ns;
    PyObject *since; /* the moment that was reached before */
    long long since_ns;
    PyObject *now; /* of `moment` */
    PyObject *events;
    Moment moment;
    Py_ssize_t count;
    long long last_ns;
    Way ways[WAYS];
};

/* Looks a channel up. NULL without an exception: what comes there is not ordinary. */
static const Way *learn(Straight *self, Way *way, const Slice *name) {
    PyObject *channel = PyBytes_FromStringAndSize(name->at, name->length);
    if (channel == NULL) return NULL;
    PyObject *lane = PyDict_GetItemWithError(self->lanes, channel);
    long number = lane == NULL ? 0 : self->raw == Py_None ? 1 : chunk_channel(self->ids, channel);
    int is_known = number <= 0 ? 0 : self->known == Py_None ? 1 : PySet_Contains(self->known, channel);
    if (is_known <= 0 || !Py_IS_TYPE(lane, &FastLane_Type)) {
        Py_DECREF(channel);
        return NULL;
    }
    Py_XDECREF(way->channel);
    *way = (Way){channel, (FastLane *)lane, (uint16_t)number};
    return way;
}

static const Way *way_of(Straight *self, const Slice *name) {
    Way *way = &self->ways[keyed_hash(name->at, name->length) & (WAYS - 1)];
    if (way->channel != NULL && PyBytes_GET_SIZE(way->channel) == name->length &&
        memcmp(PyBytes_AS_STRING(way->channel), name->at, (size_t)name->length) == 0)
        return way;
    return learn(self, way, name);
}

Verdict straight_reach(Straight *self, PyObject *at_ns) {
    long long moment_ns = PyLong_AsLongLong(at_ns);
    if (moment_ns == -1 && PyErr_Occurred()) return RAISED;
    if (moment_ns < self->since_ns) {
        at_ns = self->since;
        moment_ns = self->since_ns;
    }
    if (self->raw != Py_None && moment_ns >= self->chunk_until_ns) return ODD;
    Verdict verdict = intake_reach(&self->moment, at_ns);
    if (verdict == TAKEN) {
        Py_INCREF(at_ns);
        Py_SETREF(self->now, at_ns);
        self->since_ns = moment_ns; /* nothing is ever taken to be before what was taken already */
        Py_INCREF(at_ns);
        Py_SETREF(self->since, at_ns);
    }
    return verdict;
}

Verdict straight_take(Straight *self, const Slice *channel, const Slice *body) {
    uint64_t frame = 0;
    if (self->raw != Py_None) {
        if (PyByteArray_GET_SIZE(self->raw) >= self->full) return ODD;
        frame = self->base + (uint64_t)PyByteArray_GET_SIZE(self->raw);
    }
    const Way *way = way_of(self, channel);
    if (way == NULL) return PyErr_Occurred() ? RAISED : ODD;
    Verdict verdict = intake_take(self->intake, way->lane, &self->moment, body->at, body->length, frame);
    if (verdict != TAKEN) return verdict;
    if (self->raw != Py_None && chunk_append(self->raw, self->offsets, way->number, (uint64_t)self->moment.at_ns, body->at,
                                             body->length) < 0)
        return RAISED;
    self->count++;
    self->last_ns = self->moment.at_ns;
    return TAKEN;
}

Py_ssize_t straight_count(const Straight *self) { return self->count; }

/* -- what Python calls */

static PyObject *Straight_new(PyTypeObject *type, PyObject *arguments, PyObject *unused) {
    PyObject *intake, *lanes, *events, *chunk, *raw = Py_None, *offsets = NULL, *ids = NULL, *known, *since;
    long long until_ns, chunk_until_ns = 0;
    unsigned long long base = 0;
    Py_ssize_t room, full = 0;
    if (!PyArg_ParseTuple(arguments, "(O!O!O!nL)OOO!:Straight", &Intake_Type, &intake, &PyDict_Type, &lanes, &PyList_Type,
                          &events, &room, &until_ns, &chunk, &known, &PyLong_Type, &since))
        return NULL;
    if ((chunk != Py_None && !PyTuple_Check(chunk)) || (known != Py_None && !PySet_Check(known))) {
        PyErr_SetString(PyExc_TypeError, "a chunk is a tuple or None, known a set or None");
        return NULL;
    }
    if (chunk != Py_None && !PyArg_ParseTuple(chunk, "O!O!O!KnL:Straight", &PyByteArray_Type, &raw, &PyByteArray_Type,
                                              &offsets, &PyDict_Type, &ids, &base, &full, &chunk_until_ns))
        return NULL;
    long long since_ns = PyLong_AsLongLong(since);
    if (since_ns == -1 && PyErr_Occurred()) return NULL;
    Straight *self = (Straight *)type->tp_alloc(type, 0);
    if (self == NULL) return NULL;
    self->intake = (Intake *)Py_NewRef(intake);
    self->lanes = Py_NewRef(lanes);
    self->events = Py_NewRef(events);
    self->raw = Py_NewRef(raw);
    self->offsets = Py_XNewRef(offsets);
    self->ids = Py_XNewRef(ids);
    self->known = Py_NewRef(known);
    self->since = Py_NewRef(since);
    self->now = Py_NewRef(Py_None);
    self->since_ns = self->last_ns = since_ns;
    self->base = base;
    self->full = full;
    self->chunk_until_ns = chunk_until_ns;
    self->moment = (Moment){.until_ns = until_ns, .room = room, .events = events};
    return (PyObject *)self;
}

static void Straight_dealloc(Straight *self) {
    for (int way = 0; way < WAYS; way++) Py_XDECREF(self->ways[way].channel);
    Py_XDECREF(self->intake);
    Py_XDECREF(self->lanes);
    Py_XDECREF(self->events);
    Py_XDECREF(self->raw);
    Py_XDECREF(self->offsets);
    Py_XDECREF(self->ids);
    Py_XDECREF(self->known);
    Py_XDECREF(self->since);
    Py_XDECREF(self->now);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyMemberDef members[] = {
    {"count", T_PYSSIZET, offsetof(Straight, count), READONLY, NULL},
    {"last_ns", T_LONGLONG, offsetof(Straight, last_ns), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

PyTypeObject Straight_Type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "broker.native._compiled.Straight",
    .tp_basicsize = sizeof(Straight),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "Where ordinary messages go straight.",
    .tp_new = Straight_new,
    .tp_dealloc = (destructor)Straight_dealloc,
    .tp_members = members,
};

int add_straight(PyObject *module) {
    if (PyType_Ready(&Straight_Type) < 0) return -1;
    return PyModule_AddObjectRef(module, "Straight", (PyObject *)&Straight_Type);
}
