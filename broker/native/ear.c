/* Hears a subscription: what arrives is split and delivered. The twin is Wire.data_received in
 * broker/transport/redis/wire.py, which is given whatever is more than messages that arrived whole. */

#include "native.h"
#include "structmember.h"

typedef struct {
    PyObject_HEAD
    vectorcallfunc call;
    Splitter *splitter;
    PyObject *deliver;   /* (channel, body) */
    PyObject *failed;    /* (channel, error) */
    PyObject *otherwise; /* (block, begin, frames) */
    Py_ssize_t full;     /* of a read that was full */
    char is_on, was_heard;
} Ear;

static int deliver_one(Ear *self, PyObject *frame) {
    PyObject *both[] = {NULL, PyTuple_GET_ITEM(frame, 0), PyTuple_GET_ITEM(frame, 1)};
    PyObject *done = PyObject_Vectorcall(self->deliver, both + 1, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    if (done == NULL && PyErr_ExceptionMatches(PyExc_Exception)) {
        PyObject *error = taken_exception();
        if (error == NULL) return -1;
        done = PyObject_CallFunctionObjArgs(self->failed, both[1], error, NULL);
        Py_DECREF(error);
    }
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

static PyObject *leave(Ear *self, PyObject *block, Py_ssize_t begin, PyObject *frames) {
    PyObject *place = PyLong_FromSsize_t(begin);
    if (place == NULL) return NULL;
    PyObject *done = PyObject_CallFunctionObjArgs(self->otherwise, block, place, frames, NULL);
    Py_DECREF(place);
    return done;
}

/* ear(block): bytes arrived together. */
static PyObject *hear(PyObject *ear, PyObject *const *arguments, size_t flags, PyObject *names) {
    Ear *self = (Ear *)ear;
    if (PyVectorcall_NARGS(flags) != 1 || names != NULL) {
        PyErr_SetString(PyExc_TypeError, "an ear is called with one block");
        return NULL;
    }
    PyObject *block = arguments[0], *frames = PyList_New(0), *done = NULL;
    if (frames == NULL) return NULL;
    self->was_heard = 1;
    Py_ssize_t length = PyBytes_Check(block) ? PyBytes_GET_SIZE(block) : self->full, begin = 0;
    bool is_usual = self->is_on && length < self->full; /* not so a bytearray, which asyncio gives on Windows */
    if (is_usual && (begin = splitter_split(self->splitter, PyBytes_AS_STRING(block), length, 0, frames)) < 0) goto end;
    if (!is_usual || begin < length) {
        done = leave(self, block, begin, frames);
        goto end;
    }
    for (Py_ssize_t place = 0; place < PyList_GET_SIZE(frames); place++)
        if (deliver_one(self, PyList_GET_ITEM(frames, place)) < 0) goto end;
    done = Py_NewRef(Py_None);
end:
    Py_DECREF(frames);
    return done;
}

static PyObject *Ear_new(PyTypeObject *type, PyObject *arguments, PyObject *unused) {
    PyObject *splitter, *deliver, *failed, *otherwise;
    Py_ssize_t full;
    if (!PyArg_ParseTuple(arguments, "O!OOOn:Ear", &Splitter_Type, &splitter, &deliver, &failed, &otherwise, &full))
        return NULL;
    Ear *self = (Ear *)type->tp_alloc(type, 0);
    if (self == NULL) return NULL;
    self->call = hear;
    self->splitter = (Splitter *)Py_NewRef(splitter);
    self->deliver = Py_NewRef(deliver);
    self->failed = Py_NewRef(failed);
    self->otherwise = Py_NewRef(otherwise);
    self->full = full;
    self->is_on = 1;
    return (PyObject *)self;
}

static int Ear_traverse(Ear *self, visitproc visit, void *arg) {
    Py_VISIT(self->splitter);
    Py_VISIT(self->deliver);
    Py_VISIT(self->failed);
    Py_VISIT(self->otherwise);
    return 0;
}

static int Ear_clear(Ear *self) {
    Py_CLEAR(self->splitter);
    Py_CLEAR(self->deliver);
    Py_CLEAR(self->failed);
    Py_CLEAR(self->otherwise);
    self->is_on = 0;
    return 0;
}

static void Ear_dealloc(Ear *self) {
    PyObject_GC_UnTrack(self);
    Ear_clear(self);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyMemberDef members[] = {
    {"is_on", T_BOOL, offsetof(Ear, is_on), 0, NULL},
    {"was_heard", T_BOOL, offsetof(Ear, was_heard), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyTypeObject Ear_Type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "broker.native._compiled.Ear",
    .tp_basicsize = sizeof(Ear),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_doc = "Hears a subscription: what arrives is split and delivered.",
    .tp_vectorcall_offset = offsetof(Ear, call),
    .tp_call = PyVectorcall_Call,
    .tp_new = Ear_new,
    .tp_dealloc = (destructor)Ear_dealloc,
    .tp_traverse = (traverseproc)Ear_traverse,
    .tp_clear = (inquiry)Ear_clear,
    .tp_members = members,
};

int add_ear(PyObject *module) {
    if (PyType_Ready(&Splitter_Type) < 0 || PyType_Ready(&Ear_Type) < 0) return -1;
    return PyModule_AddObjectRef(module, "Ear", (PyObject *)&Ear_Type);
}
