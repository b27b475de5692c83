/* Calls that ended, as rows of CALL_COLUMNS. The twin is Rows in broker/observe/rows.py. */

#include "native.h"

#define LEAST_ROOM 1024
#define MOST_SIZE UINT32_MAX
#define SPREAD 0x9E3779B97F4A7C15u /* as in broker/observe/endings.py */
#define LAST_UNANSWERED_MASK ((1u << 2) | (1u << 3)) /* TIMED_OUT, NO_ANSWER */

#pragma pack(push, 1)
typedef struct { /* CALL_COLUMNS in broker/observe/journal.py */
    int64_t end_ns;
    float duration_s;
    uint32_t action;
    uint16_t caller, source, target;
    uint8_t outcome, level;
    uint16_t flags, error;
    int16_t bucket;
    uint32_t request_size, response_size;
    uint64_t trace, span, parent, request_frame, response_frame;
} Row;

typedef struct { /* CALL_ROUTE in broker/observe/routes.py */
    uint32_t action;
    uint16_t caller, source, target, flags;
    uint8_t level, unused;
    uint16_t name_space;
} Route;
#pragma pack(pop)

static Row *row_at(Rows *self, Py_ssize_t number) { return (Row *)(void *)self->rows + number; }

/* Room for one row more. */
static int make_room(Rows *self) {
    if (self->count < self->room) return 0;
    Py_ssize_t room = self->room == 0 ? LEAST_ROOM : self->room * 2;
    char *rows = PyMem_Realloc(self->rows, (size_t)room * sizeof(Row));
    if (rows != NULL) self->rows = rows;
    char *routes = rows == NULL ? NULL : PyMem_Realloc(self->routes, (size_t)room * ROUTE_BYTES);
    if (routes != NULL) self->routes = routes;
    double *durations_s = routes == NULL ? NULL : PyMem_Realloc(self->durations_s, (size_t)room * sizeof(double));
    if (durations_s == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    self->durations_s = durations_s;
    self->room = room;
    return 0;
}

/* Of each byte, the hexadecimal digit that it is, or 16. */
static uint8_t digits[256];

static void learn_digits(void) {
    memset(digits, 16, sizeof digits);
    for (int digit = 0; digit < 16; digit++) {
        digits[(unsigned char)"0123456789abcdef"[digit]] = (uint8_t)digit;
        digits[(unsigned char)"0123456789ABCDEF"[digit]] = (uint8_t)digit;
    }
}

/* Some digits after those before; what is none sets a bit in `wrong`. */
static inline uint64_t read_digits(const char *text, int count, uint64_t before, unsigned *wrong) {
    for (int place = 0; place < count; place++) {
        uint8_t digit = digits[(unsigned char)text[place]];
        *wrong |= digit & 16u;
        before = before << 4 | digit;
    }
    return before;
}

/* id64 of a UUID; false for what is none. */
static bool uuid64(const char *text, Py_ssize_t length, uint64_t *number) {
    if (length != 36 || text[8] != '-' || text[13] != '-') return false;
    unsigned wrong = 0;
    uint64_t value = read_digits(text, 8, 0, &wrong);
    value = read_digits(text + 9, 4, value, &wrong);
    value = read_digits(text + 14, 4, value, &wrong);
    if (wrong) return false;
    *number = value == 0 ? 1 : value;
    return true;
}

static int id64_of_object(Rows *self, PyObject *text, uint64_t *number) {
    *number = 0;
    if (!PyUnicode_Check(text)) return 0; /* what is no text is no id */
    if (PyUnicode_IS_ASCII(text) && uuid64((const char *)PyUnicode_DATA(text), PyUnicode_GET_LENGTH(text), number)) return 0;
    PyObject *given = PyObject_CallOneArg(self->id64, text);
    if (given == NULL) return -1;
    *number = PyLong_AsUnsignedLongLong(given);
    Py_DECREF(given);
    return PyErr_Occurred() ? -1 : 0;
}

static int id64_of_text(Rows *self, const char *text, uint8_t length, uint64_t *number) {
    *number = 0;
    if (length == NO_TEXT || length == 0 || uuid64(text, length, number)) return 0;
    PyObject *object = PyUnicode_DecodeASCII(text, length, NULL);
    if (object == NULL) return -1;
    int outcome = id64_of_object(self, object, number);
    Py_DECREF(object);
    return outcome;
}

static void fill(Row *row, const char *route_bytes, int64_t end_ns, uint32_t ending) {
    Route route;
    memcpy(&route, route_bytes, sizeof route);
    row->end_ns = end_ns;
    row->action = route.action;
    row->caller = route.caller;
    row->source = route.source;
    row->target = route.target;
    row->flags = route.flags;
    row->level = route.level;
    row->outcome = (uint8_t)ending;
    row->error = (uint16_t)(ending >> 8);
    row->bucket = 0;
}

static void add(Rows *self, const char *route_bytes, int64_t begin_ns, int64_t end_ns) {
    double duration_s = (double)(end_ns - begin_ns) / 1e9;
    row_at(self, self->count)->duration_s = (float)duration_s;
    self->durations_s[self->count] = duration_s;
    memcpy(self->routes + self->count * ROUTE_BYTES, route_bytes, ROUTE_BYTES);
    self->count++;
}

int rows_answered(Rows *self, const Slot *slot, int64_t end_ns, uint32_t size, uint64_t frame) {
    if (make_room(self) < 0) return -1;
    Row *row = row_at(self, self->count);
    uint64_t span, trace, parent;
    const char *id = slot->key + slot->id_begin;
    uint8_t id_length = (uint8_t)(slot->key_length - slot->id_begin);
    if (id64_of_text(self, id, id_length, &span) < 0 || id64_of_text(self, slot->parent, slot->parent_length, &parent) < 0)
        return -1;
    if (slot->trace_length == id_length && memcmp(slot->trace, id, id_length) == 0)
        trace = span; /* a call that nobody's call caused */
    else if (id64_of_text(self, slot->trace, slot->trace_length, &trace) < 0)
        return -1;
    const char *route = PyBytes_AS_STRING(slot->route);
    fill(row, route, end_ns, 0);
    row->request_size = slot->size;
    row->response_size = size;
    row->span = span;
    row->trace = trace;
    row->parent = parent;
    row->request_frame = slot->frame;
    row->response_frame = frame;
    add(self, route, slot->begin_ns, end_ns);
    return 0;
}

static uint32_t size_of(PyObject *number) {
    int overflow;
    long long size = PyLong_AsLongLongAndOverflow(number, &overflow);
    return overflow > 0 || size > (long long)MOST_SIZE ? MOST_SIZE : (uint32_t)size;
}

int rows_append(Rows *self, PyObject *row_tuple) {
    if (!PyTuple_Check(row_tuple) || PyTuple_GET_SIZE(row_tuple) != 12 || !PyBytes_Check(PyTuple_GET_ITEM(row_tuple, 1)) ||
        PyBytes_GET_SIZE(PyTuple_GET_ITEM(row_tuple, 1)) != ROUTE_BYTES) {
        PyErr_SetString(PyExc_TypeError, "a row is a tuple of 12, its second a route");
        return -1;
    }
    PyObject *const *of = ((PyTupleObject *)row_tuple)->ob_item;
    uint64_t span, trace, parent;
    if (make_room(self) < 0 || id64_of_object(self, of[3], &span) < 0 || id64_of_object(self, of[4], &trace) < 0 ||
        id64_of_object(self, of[5], &parent) < 0)
        return -1;
    int64_t begin_ns = PyLong_AsLongLong(of[0]), end_ns = PyLong_AsLongLong(of[8]);
    uint32_t ending = (uint32_t)PyLong_AsUnsignedLongMask(of[9]);
    Row *row = row_at(self, self->count);
    const char *route = PyBytes_AS_STRING(of[1]);
    fill(row, route, end_ns, ending);
    row->request_size = size_of(of[2]);
    row->response_size = size_of(of[10]);
    row->span = span;
    row->trace = trace;
    row->parent = parent;
    row->request_frame = PyLong_AsUnsignedLongLong(of[6]);
    row->response_frame = PyLong_AsUnsignedLongLong(of[11]);
    if (PyErr_Occurred()) return -1;
    add(self, route, begin_ns, end_ns);
    return 0;
}

static PyObject *Rows_append(Rows *self, PyObject *row) {
    if (rows_append(self, row) < 0) return NULL;
    Py_RETURN_NONE;
}

static PyObject *Rows_take(Rows *self, PyObject *unused) {
    PyObject *rows = PyByteArray_FromStringAndSize(self->rows, self->count * (Py_ssize_t)sizeof(Row));
    PyObject *routes = PyBytes_FromStringAndSize(self->routes, self->count * ROUTE_BYTES);
    PyObject *durations_s = PyBytes_FromStringAndSize((char *)self->durations_s, self->count * (Py_ssize_t)sizeof(double));
    PyObject *taken = NULL;
    if (rows != NULL && routes != NULL && durations_s != NULL) taken = PyTuple_Pack(3, rows, routes, durations_s);
    if (taken != NULL) self->count = 0;
    Py_XDECREF(rows);
    Py_XDECREF(routes);
    Py_XDECREF(durations_s);
    return taken;
}

static PyObject *Rows_answers(Rows *self, PyObject *first) {
    Py_ssize_t number = PyLong_AsSsize_t(first);
    if (number == -1 && PyErr_Occurred()) return NULL;
    PyObject *list = PyList_New(0);
    for (number = number < 0 ? 0 : number; list != NULL && number < self->count; number++) {
        const Row *row = row_at(self, number);
        const char *route_bytes = self->routes + number * ROUTE_BYTES;
        if (row->response_size == 0 && row->outcome < 32 && (LAST_UNANSWERED_MASK >> row->outcome & 1)) continue;
        Route route;
        memcpy(&route, route_bytes, sizeof route);
        PyObject *answer = Py_BuildValue("KLIy#", (unsigned long long)(row->span ^ route.name_space * SPREAD),
                                         (long long)row->end_ns, (unsigned int)row->outcome, route_bytes,
                                         (Py_ssize_t)ROUTE_BYTES);
        if (answer == NULL || PyList_Append(list, answer) < 0) Py_CLEAR(list);
        Py_XDECREF(answer);
    }
    return list;
}

static Py_ssize_t Rows_length(PyObject *self) { return ((Rows *)self)->count; }

static PyObject *Rows_new(PyTypeObject *type, PyObject *arguments, PyObject *unused) {
    PyObject *id64;
    if (!PyArg_ParseTuple(arguments, "O:Rows", &id64)) return NULL;
    Rows *self = (Rows *)type->tp_alloc(type, 0);
    if (self != NULL) self->id64 = Py_NewRef(id64);
    return (PyObject *)self;
}

static void Rows_dealloc(Rows *self) {
    Py_XDECREF(self->id64);
    PyMem_Free(self->rows);
    PyMem_Free(self->routes);
    PyMem_Free(self->durations_s);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyMethodDef methods[] = {
    {"append", (PyCFunction)Rows_append, METH_O, NULL},
    {"take", (PyCFunction)Rows_take, METH_NOARGS, NULL},
    {"answers", (PyCFunction)Rows_answers, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMappingMethods as_mapping = {.mp_length = Rows_length};

PyTypeObject Rows_Type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "broker.native._compiled.Rows",
    .tp_basicsize = sizeof(Rows),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "Calls that ended.",
    .tp_new = Rows_new,
    .tp_dealloc = (destructor)Rows_dealloc,
    .tp_methods = methods,
    .tp_as_mapping = &as_mapping,
};

int add_rows(PyObject *module) {
    learn_digits();
    if (PyType_Ready(&Rows_Type) < 0 || PyModule_AddIntConstant(module, "ROW_BYTES", sizeof(Row)) < 0) return -1;
    return PyModule_AddObjectRef(module, "Rows", (PyObject *)&Rows_Type);
}
