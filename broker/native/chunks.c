/* Chunks of message records being written. The twin is append_frames_slowly in broker/capture/messages.py. */

#include "little_endian.h"
#include "native.h"

#define MESSAGE_OPCODE 5
#define HEAD_BYTES 31   /* opcode, length, channel, sequence, log time, publish time */
#define FIELDS_BYTES 22 /* of these, what the length counts beside the body */

static void put_message(char *to, uint16_t channel, uint64_t at_ns, const char *body, Py_ssize_t size) {
    to[0] = MESSAGE_OPCODE;
    write_u64(to + 1, (uint64_t)size + FIELDS_BYTES);
    write_u16(to + 9, channel);
    write_u32(to + 11, 0);
    write_u64(to + 15, at_ns);
    write_u64(to + 23, at_ns);
    memcpy(to + HEAD_BYTES, body, (size_t)size);
}

/* Room for so many more bytes at the end of a bytearray; NULL with an exception if there is none. */
static char *lengthen(PyObject *octets, Py_ssize_t by) {
    Py_ssize_t size = PyByteArray_GET_SIZE(octets);
    if (by > PY_SSIZE_T_MAX - size || PyByteArray_Resize(octets, size + by) < 0) return NULL;
    return PyByteArray_AS_STRING(octets) + size;
}

/* The number of a channel, from 1; 0 if it has none yet, or none that fits; -1 with an exception. */
static long number_of(PyObject *ids, PyObject *channel) {
    PyObject *number = PyDict_GetItemWithError(ids, channel);
    if (number == NULL) return PyErr_Occurred() ? -1 : 0;
    long id = PyLong_AsLong(number);
    return id == -1 && PyErr_Occurred() ? -1 : id > 0 && id <= UINT16_MAX ? id : 0;
}

/* Those behind so many were never put into the list. */
static int cut(PyObject *list, Py_ssize_t count) { return PyList_SetSlice(list, count, PyList_GET_SIZE(list), NULL); }

typedef struct {
    PyObject *raw, *offsets, *ids;
    uint64_t at_ns, base;
} Chunk;

/* The number of a frame that was appended; NULL without an exception if it is not ordinary. */
static PyObject *append_frame(const Chunk *chunk, PyObject *frame) {
    if (!PyTuple_Check(frame) || PyTuple_GET_SIZE(frame) != 2) return NULL;
    PyObject *channel = PyTuple_GET_ITEM(frame, 0), *body = PyTuple_GET_ITEM(frame, 1);
    if (!PyBytes_CheckExact(channel) || !PyBytes_CheckExact(body)) return NULL;
    long number = number_of(chunk->ids, channel);
    if (number <= 0) return NULL;
    int64_t offset = PyByteArray_GET_SIZE(chunk->raw);
    Py_ssize_t size = PyBytes_GET_SIZE(body);
    char *record = lengthen(chunk->raw, HEAD_BYTES + size);
    if (record == NULL) return NULL;
    put_message(record, (uint16_t)number, chunk->at_ns, PyBytes_AS_STRING(body), size);
    char *place = lengthen(chunk->offsets, sizeof(offset));
    if (place == NULL) return NULL;
    memcpy(place, &offset, sizeof(offset));
    return PyLong_FromUnsignedLongLong(chunk->base + (uint64_t)offset);
}

static PyObject *append_all(const Chunk *chunk, PyObject *frames, Py_ssize_t first, Py_ssize_t full) {
    Py_ssize_t count = PySequence_Fast_GET_SIZE(frames), place = first;
    PyObject *numbers = PyList_New(count - first);
    for (; numbers != NULL && place < count && PyByteArray_GET_SIZE(chunk->raw) < full; place++) {
        PyObject *number = append_frame(chunk, PySequence_Fast_GET_ITEM(frames, place));
        if (number == NULL) break;
        PyList_SET_ITEM(numbers, place - first, number);
    }
    if (PyErr_Occurred() || (numbers != NULL && place < count && cut(numbers, place - first) < 0)) Py_CLEAR(numbers);
    return numbers;
}

/* append_frames(raw, offsets, ids, frames, first, at_ns, base, full): the numbers of those that were taken */
static PyObject *append_frames(PyObject *module, PyObject *const *arguments, Py_ssize_t count) {
    if (count != 8 || !PyByteArray_CheckExact(arguments[0]) || !PyByteArray_CheckExact(arguments[1]) ||
        !PyDict_CheckExact(arguments[2]) || !(PyList_Check(arguments[3]) || PyTuple_Check(arguments[3]))) {
        PyErr_SetString(PyExc_TypeError, "append_frames(raw: bytearray, offsets: bytearray, ids: dict, "
                                         "frames: list or tuple, first, at_ns, base, full)");
        return NULL;
    }
    Py_ssize_t first = PyLong_AsSsize_t(arguments[4]), full = PyLong_AsSsize_t(arguments[7]);
    if (PyErr_Occurred()) return NULL;
    Chunk chunk = {arguments[0], arguments[1], arguments[2], PyLong_AsUnsignedLongLong(arguments[5]), 0};
    if (PyErr_Occurred()) return NULL;
    chunk.base = PyLong_AsUnsignedLongLong(arguments[6]);
    if (PyErr_Occurred()) return NULL;
    if (first < 0 || first > PySequence_Fast_GET_SIZE(arguments[3])) {
        PyErr_SetString(PyExc_IndexError, "first is none of the frames");
        return NULL;
    }
    return append_all(&chunk, arguments[3], first, full);
}

static PyMethodDef functions[] = {
    {"append_frames", (PyCFunction)(void (*)(void))append_frames, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};

int add_chunks(PyObject *module) { return PyModule_AddFunctions(module, functions); }
