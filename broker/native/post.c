/* Takes in what came on a node's channels. The twin is Wire.receive_slowly in broker/node/wire.py. */

#include "native.h"

#include <stddef.h>

typedef struct {
    PyObject_HEAD
    vectorcallfunc call;
    PyObject *known;     /* channel to (read, take) */
    PyObject *protocols; /* node to version */
    PyObject *careful;   /* (channel, body) */
    PyObject *failed;    /* (error) */
    PyObject *sender, *ver;
} Post;

/* Whether a packet is of a node that we know, in the version in which it spoke before; -1 with an exception. */
static int is_expected(Post *self, PyObject *packet) {
    int verdict = -1;
    PyObject *sender = PyObject_GetAttr(packet, self->sender), *ver = PyObject_GetAttr(packet, self->ver);
    if (sender != NULL && ver != NULL) {
        PyObject *protocol = PyDict_GetItemWithError(self->protocols, sender);
        if (protocol != NULL)
            verdict = PyObject_RichCompareBool(protocol, ver, Py_EQ);
        else if (!PyErr_Occurred())
            verdict = 0;
    }
    Py_XDECREF(sender);
    Py_XDECREF(ver);
    return verdict;
}

/* The packet in a body, if it is an expected one; NULL for all others, with no exception but for those that must go on. */
static PyObject *expected_packet(Post *self, PyObject *read, PyObject *body) {
    PyObject *packet = PyObject_CallOneArg(read, body);
    int verdict = packet == NULL ? -1 : is_expected(self, packet);
    if (verdict == 1) return packet;
    Py_XDECREF(packet);
    if (verdict < 0 && PyErr_ExceptionMatches(PyExc_Exception)) PyErr_Clear();
    return NULL;
}

static PyObject *take_packet(Post *self, PyObject *take, PyObject *packet) {
    PyObject *done = PyObject_CallOneArg(take, packet);
    if (done != NULL || !PyErr_ExceptionMatches(PyExc_Exception)) return done;
    PyObject *error = taken_exception();
    if (error == NULL) return NULL;
    done = PyObject_CallOneArg(self->failed, error);
    Py_DECREF(error);
    return done;
}

/* post(channel, body) */
static PyObject *receive(PyObject *post, PyObject *const *arguments, size_t flags, PyObject *names) {
    Post *self = (Post *)post;
    if (PyVectorcall_NARGS(flags) != 2 || names != NULL) {
        PyErr_SetString(PyExc_TypeError, "a post is called with a channel and a body");
        return NULL;
    }
    PyObject *known = PyDict_GetItemWithError(self->known, arguments[0]);
    if (known == NULL && PyErr_Occurred()) return NULL;
    if (known != NULL && PyTuple_CheckExact(known) && PyTuple_GET_SIZE(known) == 2) {
        Py_INCREF(known); /* who takes the packet may change what is known */
        PyObject *packet = expected_packet(self, PyTuple_GET_ITEM(known, 0), arguments[1]);
        PyObject *done = packet == NULL ? NULL : take_packet(self, PyTuple_GET_ITEM(known, 1), packet);
        bool is_done = packet != NULL || PyErr_Occurred();
        Py_DECREF(known);
        Py_XDECREF(packet);
        if (is_done) return done;
    }
    return PyObject_CallFunctionObjArgs(self->careful, arguments[0], arguments[1], NULL);
}

static int Post_traverse(Post *self, visitproc visit, void *arg) {
    Py_VISIT(self->known);
    Py_VISIT(self->protocols);
    Py_VISIT(self->careful);
    Py_VISIT(self->failed);
    return 0;
}

static int Post_clear(Post *self) {
    Py_CLEAR(self->known);
    Py_CLEAR(self->protocols);
    Py_CLEAR(self->careful);
    Py_CLEAR(self->failed);
    return 0;
}

static void Post_dealloc(Post *self) {
    PyObject_GC_UnTrack(self);
    Post_clear(self);
    Py_XDECREF(self->sender);
    Py_XDECREF(self->ver);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyObject *Post_new(PyTypeObject *type, PyObject *arguments, PyObject *unused) {
    PyObject *known, *protocols, *careful, *failed;
    if (!PyArg_ParseTuple(arguments, "O!O!OO:Post", &PyDict_Type, &known, &PyDict_Type, &protocols, &careful, &failed))
        return NULL;
    Post *self = (Post *)type->tp_alloc(type, 0);
    if (self == NULL) return NULL;
    self->call = receive;
    self->known = Py_NewRef(known);
    self->protocols = Py_NewRef(protocols);
    self->careful = Py_NewRef(careful);
    self->failed = Py_NewRef(failed);
    self->sender = PyUnicode_InternFromString("sender");
    self->ver = PyUnicode_InternFromString("ver");
    if (self->sender == NULL || self->ver == NULL) Py_CLEAR(self);
    return (PyObject *)self;
}

static PyTypeObject Post_Type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "broker.native._compiled.Post",
    .tp_basicsize = sizeof(Post),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_doc = "Takes in what came on a node's channels.",
    .tp_vectorcall_offset = offsetof(Post, call),
    .tp_call = PyVectorcall_Call,
    .tp_new = Post_new,
    .tp_dealloc = (destructor)Post_dealloc,
    .tp_traverse = (traverseproc)Post_traverse,
    .tp_clear = (inquiry)Post_clear,
};

int add_post(PyObject *module) {
    if (PyType_Ready(&Post_Type) < 0) return -1;
    return PyModule_AddObjectRef(module, "Post", (PyObject *)&Post_Type);
}
