/* Messages of a chunk that was unpacked. The twin is split_messages_slowly in broker/capture/messages.py. */

#include "little_endian.h"
#include "native.h"

#define MESSAGE_OPCODE 5
#define RECORD_HEAD_BYTES 9 /* opcode and length */
#define HEAD_BYTES 31
#define FIELDS_BYTES 22

typedef struct {
    const char *raw;
    Py_ssize_t size, at;
    PyObject *names; /* by number: bytes; None for the channel of envelopes */
    uint64_t base;   /* 0: messages have no number */
    Py_ssize_t most_offset;
    PyTypeObject *group_type;   /* a named tuple of at_ns, frames, numbers */
    PyObject *groups;           /* list */
    PyObject *frames, *numbers; /* of the last group, borrowed */
    uint64_t group_ns; /* as it is written */
    uint64_t last_ns;  /* the newest moment; what lies before it is taken as of it */
} Splitting;

/* Whether an ordinary message begins here, and where it ends. */
static bool is_message(const Splitting *s, Py_ssize_t *end) {
    if (s->at > s->size - HEAD_BYTES || s->raw[s->at] != MESSAGE_OPCODE) return false;
    uint64_t length = read_u64(s->raw + s->at + 1);
    if (length < FIELDS_BYTES || length > (uint64_t)(s->size - s->at - RECORD_HEAD_BYTES)) return false;
    *end = s->at + RECORD_HEAD_BYTES + (Py_ssize_t)length;
    return true;
}

static int append_new(PyObject *list, PyObject *item) {
    if (item == NULL) return -1;
    int outcome = PyList_Append(list, item);
    Py_DECREF(item);
    return outcome;
}

static int begin_group(Splitting *s, uint64_t at_ns) {
    s->group_ns = at_ns;
    if (at_ns > s->last_ns) s->last_ns = at_ns;
    PyObject *moment = PyLong_FromUnsignedLongLong(s->last_ns), *frames = PyList_New(0), *numbers = PyList_New(0);
    PyObject *group = moment == NULL || frames == NULL || numbers == NULL ? NULL : s->group_type->tp_alloc(s->group_type, 3);
    if (group == NULL) {
        Py_XDECREF(moment);
        Py_XDECREF(frames);
        Py_XDECREF(numbers);
        return -1;
    }
    PyTuple_SET_ITEM(group, 0, moment);
    PyTuple_SET_ITEM(group, 1, frames);
    PyTuple_SET_ITEM(group, 2, numbers);
    s->frames = frames; /* the group holds them, and the list the group */
    s->numbers = numbers;
    return append_new(s->groups, group);
}

/* The channel's name, borrowed; NULL without an exception if it is that of envelopes, or odd. */
static PyObject *name_of(const Splitting *s, PyObject *nameless) {
    PyObject *number = PyLong_FromLong(read_u16(s->raw + s->at + 9));
    if (number == NULL) return NULL;
    PyObject *name = PyDict_GetItemWithError(s->names, number);
    Py_DECREF(number);
    if (name == NULL) return PyErr_Occurred() ? NULL : nameless;
    return PyBytes_CheckExact(name) ? name : NULL;
}

/* 1: taken; 0: it is not ordinary; -1 with an exception. */
static int take_message(Splitting *s, PyObject *nameless) {
    Py_ssize_t end;
    if (!is_message(s, &end)) return 0;
    PyObject *name = name_of(s, nameless);
    if (name == NULL) return PyErr_Occurred() ? -1 : 0;
    uint64_t at_ns = read_u64(s->raw + s->at + 15);
    if ((s->frames == NULL || at_ns != s->group_ns) && begin_group(s, at_ns) < 0) return -1;
    PyObject *body = PyBytes_FromStringAndSize(s->raw + s->at + HEAD_BYTES, end - s->at - HEAD_BYTES);
    if (body == NULL) return -1;
    PyObject *frame = PyTuple_Pack(2, name, body);
    Py_DECREF(body);
    if (append_new(s->frames, frame) < 0) return -1;
    uint64_t number = s->base != 0 && s->at <= s->most_offset ? s->base + (uint64_t)s->at : 0;
    if (append_new(s->numbers, PyLong_FromUnsignedLongLong(number)) < 0) return -1;
    s->at = end;
    return 1;
}

static PyObject *split_all(Splitting *s, Py_ssize_t most) {
    PyObject *nameless = PyBytes_FromStringAndSize(NULL, 0), *told = NULL;
    Py_ssize_t count = 0;
    s->groups = PyList_New(0);
    int outcome = nameless == NULL || s->groups == NULL ? -1 : 1;
    while (outcome > 0 && count < most) {
        outcome = take_message(s, nameless);
        if (outcome > 0) count++;
    }
    if (outcome >= 0) told = Py_BuildValue("Onn", s->groups, count, s->at);
    Py_XDECREF(nameless);
    Py_XDECREF(s->groups);
    return told;
}

/* split_messages(raw, at, names, base, most_offset, most, last_ns, group_type): groups, how many messages are in them,
 * and where what was not taken begins */
static PyObject *split_messages(PyObject *module, PyObject *arguments) {
    Splitting s = {0};
    PyObject *raw, *group_type;
    Py_ssize_t most;
    unsigned long long base, last_ns;
    if (!PyArg_ParseTuple(arguments, "O!nO!KnnKO!:split_messages", &PyBytes_Type, &raw, &s.at, &PyDict_Type, &s.names,
                          &base, &s.most_offset, &most, &last_ns, &PyType_Type, &group_type))
        return NULL;
    s.group_type = (PyTypeObject *)group_type;
    if (s.at < 0 || !PyType_IsSubtype(s.group_type, &PyTuple_Type)) {
        PyErr_SetString(PyExc_ValueError, "nothing lies before the first byte, and groups are tuples");
        return NULL;
    }
    s.raw = PyBytes_AS_STRING(raw);
    s.size = PyBytes_GET_SIZE(raw);
    s.base = base;
    s.last_ns = last_ns;
    return split_all(&s, most);
}

static PyMethodDef functions[] = {
    {"split_messages", split_messages, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

int add_unpacked(PyObject *module) { return PyModule_AddFunctions(module, functions); }
