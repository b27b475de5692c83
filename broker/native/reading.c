/* Reads a socket with the kernel's stamps, all that is there in one call. The twin is Reading in
 * broker/transport/redis/reading.py. Linux only: others do not stamp what arrives on a stream.
 */

#include "native.h"

#ifdef __linux__

#include <errno.h>
#include <sys/socket.h>

#define STAMP 35 /* SO_TIMESTAMPNS where time has 64 bits, on whatever machine */
#define PIECE_BYTES (1 << 15) /* as the twin has it */
#define NOTE_BYTES 64

/* How a round ended, as the twin says it; above 0 the errno of an error. */
#define DRAINED 0
#define MORE (-1)
#define HUNG_UP (-2)
#define FAILED (-3) /* with an exception, which Python never sees as a number */

typedef struct {
    PyObject_HEAD
    PyObject *socket; /* asked for its number each time: once it is closed that may be another's */
    int small_reads, most_reads;
    Py_ssize_t most_bytes;
    int64_t at_ns; /* of what was read last */
} Reading;

typedef struct {
    int64_t now_ns, ahead_ns;
} Moment;

/* When what a message brought arrived: never before what arrived before it, never later than now. */
static int64_t stamp_of(Reading *self, struct msghdr *message, const Moment *moment) {
    int64_t at_ns = moment->now_ns, stamp[2]; /* s, ns */
    for (struct cmsghdr *note = CMSG_FIRSTHDR(message); note != NULL; note = CMSG_NXTHDR(message, note)) {
        if (note->cmsg_level != SOL_SOCKET || note->cmsg_type != STAMP) continue;
        if (note->cmsg_len != CMSG_LEN(sizeof stamp)) continue;
        memcpy(stamp, CMSG_DATA(note), sizeof stamp);
        at_ns = Py_MIN(at_ns, stamp[0] * 1000000000 + stamp[1] + moment->ahead_ns);
    }
    self->at_ns = Py_MAX(self->at_ns, at_ns);
    return self->at_ns;
}

/* What was read under one stamp. */
typedef struct {
    char bytes[PIECE_BYTES];
    Py_ssize_t length;
    int64_t at_ns;
    bool has_waited;
} Piece;

static int hand_over(Piece *piece, PyObject *arrived) {
    if (piece->length == 0) return 0;
    PyObject *one = Py_BuildValue("Ly#O", (long long)piece->at_ns, piece->bytes, piece->length,
                                  piece->has_waited ? Py_True : Py_False);
    piece->length = 0;
    if (one == NULL) return -1;
    int outcome = PyList_Append(arrived, one);
    Py_DECREF(one);
    return outcome;
}

/* Reads behind the piece, which becomes longer if the stamp is the same. The length, or what recvmsg returned. */
static Py_ssize_t read_once(Reading *self, int descriptor, Py_ssize_t size, const Moment *moment, bool has_waited,
                            Piece *piece, PyObject *arrived) {
    union {
        struct cmsghdr aligned;
        char bytes[NOTE_BYTES];
    } notes;
    if (piece->length + size > PIECE_BYTES && hand_over(piece, arrived) < 0) return FAILED;
    char *bytes = piece->bytes + piece->length;
    struct iovec room = {bytes, (size_t)size};
    struct msghdr message = {.msg_iov = &room, .msg_iovlen = 1, .msg_control = &notes, .msg_controllen = sizeof notes};
    Py_ssize_t length = recvmsg(descriptor, &message, MSG_DONTWAIT);
    if (length <= 0) return length;
    int64_t at_ns = stamp_of(self, &message, moment);
    if (piece->length > 0 && at_ns != piece->at_ns) {
        if (hand_over(piece, arrived) < 0) return FAILED;
        memmove(piece->bytes, bytes, (size_t)length);
    }
    if (piece->length == 0) {
        piece->at_ns = at_ns;
        piece->has_waited = has_waited;
    }
    piece->length += length;
    return length;
}

/* Reads until there is nothing more, or others should have their turn. How it ended. */
static int read_round(Reading *self, int descriptor, Py_ssize_t size, const Moment *moment, bool has_waited,
                      PyObject *arrived, Py_ssize_t *total) {
    Piece piece;
    piece.length = 0;
    int ending = MORE;
    for (int number = 0; number < self->most_reads && ending == MORE; number++) {
        Py_ssize_t length = read_once(self, descriptor, size, moment, has_waited || number > 0, &piece, arrived);
        if (length == FAILED) return FAILED;
        if (length > 0) *total += length;
        if (length == 0)
            ending = HUNG_UP;
        else if (length < 0)
            ending = errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? DRAINED : errno;
        else if (length < size)
            ending = DRAINED;
        if (number + 1 >= self->small_reads) size = self->most_bytes; /* much has piled up */
    }
    return hand_over(&piece, arrived) < 0 ? FAILED : ending;
}

/* -1 of one that is closed; -1 with an exception of what is no socket. */
static int descriptor_of(Reading *self) {
    PyObject *number = PyObject_CallMethod(self->socket, "fileno", NULL);
    if (number == NULL) return -1;
    int descriptor = _PyLong_AsInt(number);
    Py_DECREF(number);
    return descriptor;
}

/* read(size, now_ns, ahead_ns, has_waited): what arrived, its bytes, how it ended. */
static PyObject *Reading_read(Reading *self, PyObject *const *arguments, Py_ssize_t count) {
    if (count != 4) {
        PyErr_SetString(PyExc_TypeError, "read(size, now_ns, ahead_ns, has_waited)");
        return NULL;
    }
    Py_ssize_t size = PyLong_AsSsize_t(arguments[0]), total = 0;
    Moment moment = {.now_ns = PyLong_AsLongLong(arguments[1]), .ahead_ns = PyLong_AsLongLong(arguments[2])};
    if (PyErr_Occurred()) return NULL;
    if (size < 1 || size > self->most_bytes) {
        PyErr_SetString(PyExc_ValueError, "size is not between 1 and most_bytes");
        return NULL;
    }
    int descriptor = descriptor_of(self);
    if (descriptor == -1 && PyErr_Occurred()) return NULL;
    PyObject *arrived = PyList_New(0);
    if (arrived == NULL) return NULL;
    int ending = read_round(self, descriptor, size, &moment, arguments[3] == Py_True, arrived, &total);
    if (ending == FAILED) {
        Py_DECREF(arrived);
        return NULL;
    }
    return Py_BuildValue("Nni", arrived, total, ending);
}

static PyObject *Reading_new(PyTypeObject *type, PyObject *arguments, PyObject *unused) {
    PyObject *socket;
    int small_reads, most_reads;
    Py_ssize_t most_bytes;
    if (!PyArg_ParseTuple(arguments, "Oini:Reading", &socket, &small_reads, &most_bytes, &most_reads)) return NULL;
    if (most_bytes < 1 || most_bytes > PIECE_BYTES) {
        PyErr_SetString(PyExc_ValueError, "most_bytes is not between 1 and 32768");
        return NULL;
    }
    Reading *self = (Reading *)type->tp_alloc(type, 0);
    if (self == NULL) return NULL;
    self->socket = Py_NewRef(socket);
    self->small_reads = small_reads;
    self->most_bytes = most_bytes;
    self->most_reads = most_reads;
    return (PyObject *)self;
}

static void Reading_dealloc(Reading *self) {
    Py_XDECREF(self->socket);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyMethodDef methods[] = {
    {"read", (PyCFunction)(void (*)(void))Reading_read, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};

static PyTypeObject Reading_Type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "broker.native._compiled.Reading",
    .tp_basicsize = sizeof(Reading),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "Reads a socket with the kernel's stamps.",
    .tp_new = Reading_new,
    .tp_dealloc = (destructor)Reading_dealloc,
    .tp_methods = methods,
};

int add_reading(PyObject *module) {
    if (PyType_Ready(&Reading_Type) < 0) return -1;
    return PyModule_AddObjectRef(module, "Reading", (PyObject *)&Reading_Type);
}

#else

int add_reading(PyObject *module) { return 0; }

#endif
