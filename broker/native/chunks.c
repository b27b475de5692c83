/* Chunks of message records being written.
 *
 * Twins: append_frames_slowly in broker/capture/messages.py, index_slowly in broker/capture/chunk.py.
 */

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
    Py_ssize_t size = PyByteArray_GET_SIZE(octets), room = ((PyByteArrayObject *)octets)->ob_alloc;
    if (by > PY_SSIZE_T_MAX / 2 - size) {
        PyErr_NoMemory();
        return NULL;
    }
    /* left to itself it grows by eighths, and a chunk would be copied nine times until it is full */
    if (size + by >= room && PyByteArray_Resize(octets, 2 * size + by) < 0) return NULL;
    if (PyByteArray_Resize(octets, size + by) < 0) return NULL;
    return PyByteArray_AS_STRING(octets) + size;
}

long chunk_channel(PyObject *ids, PyObject *channel) {
    PyObject *number = PyDict_GetItemWithError(ids, channel);
    if (number == NULL) return PyErr_Occurred() ? -1 : 0;
    long id = PyLong_AsLong(number);
    return id == -1 && PyErr_Occurred() ? -1 : id > 0 && id <= UINT16_MAX ? id : 0;
}

Py_ssize_t chunk_append(PyObject *raw, PyObject *offsets, uint16_t channel, uint64_t at_ns, const char *body,
                        Py_ssize_t size) {
    int64_t offset = PyByteArray_GET_SIZE(raw);
    char *record = lengthen(raw, HEAD_BYTES + size);
    if (record == NULL) return -1;
    put_message(record, channel, at_ns, body, size);
    char *place = lengthen(offsets, sizeof(offset));
    if (place == NULL) return -1;
    memcpy(place, &offset, sizeof(offset));
    return offset;
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
    long number = chunk_channel(chunk->ids, channel);
    if (number <= 0) return NULL;
    Py_ssize_t offset = chunk_append(chunk->raw, chunk->offsets, (uint16_t)number, chunk->at_ns, PyBytes_AS_STRING(body),
                                     PyBytes_GET_SIZE(body));
    return offset < 0 ? NULL : PyLong_FromUnsignedLongLong(chunk->base + (uint64_t)offset);
}

/* Those who arrived together have the same object for their moment. */
static PyObject *append_all(Chunk *chunk, PyObject *frames, PyObject *moments, Py_ssize_t first, Py_ssize_t full,
                            uint64_t until_ns) {
    Py_ssize_t count = PySequence_Fast_GET_SIZE(frames), place = first;
    PyObject *numbers = PyList_New(count - first), *moment = NULL;
    for (; numbers != NULL && place < count && PyByteArray_GET_SIZE(chunk->raw) < full; place++) {
        if (PyList_GET_ITEM(moments, place) != moment) {
            moment = PyList_GET_ITEM(moments, place);
            chunk->at_ns = PyLong_AsUnsignedLongLong(moment);
            if (PyErr_Occurred() || chunk->at_ns >= until_ns) break;
        }
        PyObject *number = append_frame(chunk, PySequence_Fast_GET_ITEM(frames, place));
        if (number == NULL) break;
        PyList_SET_ITEM(numbers, place - first, number);
    }
    if (PyErr_Occurred() || (numbers != NULL && place < count && cut(numbers, place - first) < 0)) Py_CLEAR(numbers);
    return numbers;
}

/* append_frames(raw, offsets, ids, frames, first, moments, base, full, until_ns): the numbers of those that were taken */
static PyObject *append_frames(PyObject *module, PyObject *const *arguments, Py_ssize_t count) {
    if (count != 9 || !PyByteArray_CheckExact(arguments[0]) || !PyByteArray_CheckExact(arguments[1]) ||
        !PyDict_CheckExact(arguments[2]) || !(PyList_Check(arguments[3]) || PyTuple_Check(arguments[3])) ||
        !PyList_Check(arguments[5])) {
        PyErr_SetString(PyExc_TypeError, "append_frames(raw: bytearray, offsets: bytearray, ids: dict, "
                                         "frames: list or tuple, first, moments: list, base, full, until_ns)");
        return NULL;
    }
    PyObject *frames = arguments[3], *moments = arguments[5];
    Py_ssize_t first = PyLong_AsSsize_t(arguments[4]), full = PyLong_AsSsize_t(arguments[7]);
    if (PyErr_Occurred()) return NULL;
    Chunk chunk = {arguments[0], arguments[1], arguments[2], 0, PyLong_AsUnsignedLongLong(arguments[6])};
    if (PyErr_Occurred()) return NULL;
    uint64_t until_ns = PyLong_AsUnsignedLongLong(arguments[8]);
    if (PyErr_Occurred()) return NULL;
    if (first < 0 || first > PySequence_Fast_GET_SIZE(frames)) {
        PyErr_SetString(PyExc_IndexError, "first is none of the frames");
        return NULL;
    }
    if (PyList_GET_SIZE(moments) < PySequence_Fast_GET_SIZE(frames)) {
        PyErr_SetString(PyExc_IndexError, "there are fewer moments than frames");
        return NULL;
    }
    return append_all(&chunk, frames, moments, first, full, until_ns);
}

/* -- MessageIndex records: where the messages of each channel lie in a chunk */

#define INDEX_OPCODE 7
#define INDEX_HEAD_BYTES 15   /* opcode, length, channel, bytes of its entries */
#define INDEX_FIELDS_BYTES 6  /* of these, what the length counts beside the entries */
#define INDEX_ENTRY_BYTES 16  /* log time, offset */

typedef struct {
    const char *raw;
    const int64_t *offsets;
    Py_ssize_t raw_size, message_count, channel_count; /* channels: up to the highest */
    uint32_t *counts;    /* by channel */
    Py_ssize_t *begins;  /* by channel: where its record begins in the records; then where its next entry comes */
    Py_ssize_t size;     /* of all records */
} Index;

static inline uint16_t channel_of(const Index *index, Py_ssize_t message) {
    return read_u16(index->raw + index->offsets[message] + 9);
}

/* Looks how many channels there are; whether all messages lie within the chunk. */
static bool look_at_messages(Index *index) {
    for (Py_ssize_t message = 0; message < index->message_count; message++) {
        int64_t offset = index->offsets[message];
        if (offset < 0 || offset > index->raw_size - HEAD_BYTES) return false;
        Py_ssize_t channel = channel_of(index, message);
        if (channel >= index->channel_count) index->channel_count = channel + 1;
    }
    return true;
}

static void measure_index(Index *index) {
    for (Py_ssize_t message = 0; message < index->message_count; message++) index->counts[channel_of(index, message)]++;
    for (Py_ssize_t channel = 0; channel < index->channel_count; channel++) {
        if (index->counts[channel] == 0) continue;
        index->begins[channel] = index->size;
        index->size += INDEX_HEAD_BYTES + INDEX_ENTRY_BYTES * (Py_ssize_t)index->counts[channel];
    }
}

static void write_index(const Index *index, char *records) {
    for (Py_ssize_t channel = 0; channel < index->channel_count; channel++) {
        if (index->counts[channel] == 0) continue;
        char *head = records + index->begins[channel];
        uint32_t entries_size = index->counts[channel] * INDEX_ENTRY_BYTES;
        head[0] = INDEX_OPCODE;
        write_u64(head + 1, INDEX_FIELDS_BYTES + (uint64_t)entries_size);
        write_u16(head + 9, (uint16_t)channel);
        write_u32(head + 11, entries_size);
        index->begins[channel] += INDEX_HEAD_BYTES;
    }
    for (Py_ssize_t message = 0; message < index->message_count; message++) {
        Py_ssize_t *at = &index->begins[channel_of(index, message)];
        write_u64(records + *at, read_u64(index->raw + index->offsets[message] + 15));
        write_u64(records + *at + 8, (uint64_t)index->offsets[message]);
        *at += INDEX_ENTRY_BYTES;
    }
}

static int set_number(PyObject *dict, long key, Py_ssize_t number) {
    PyObject *name = PyLong_FromLong(key), *value = PyLong_FromSsize_t(number);
    int outcome = name == NULL || value == NULL ? -1 : PyDict_SetItem(dict, name, value);
    Py_XDECREF(name);
    Py_XDECREF(value);
    return outcome;
}

/* After the records were written, each channel's `begins` is where they end. */
static PyObject *told_index(const Index *index, PyObject *records) {
    PyObject *begins = PyDict_New(), *counts = PyDict_New(), *told = NULL;
    bool is_well = begins != NULL && counts != NULL;
    for (Py_ssize_t channel = 0; is_well && channel < index->channel_count; channel++) {
        Py_ssize_t count = index->counts[channel];
        if (count == 0) continue;
        Py_ssize_t begin = index->begins[channel] - count * INDEX_ENTRY_BYTES - INDEX_HEAD_BYTES;
        is_well = set_number(begins, (long)channel, begin) == 0 && set_number(counts, (long)channel, count) == 0;
    }
    if (is_well) told = PyTuple_Pack(3, records, begins, counts);
    Py_XDECREF(begins);
    Py_XDECREF(counts);
    return told;
}

static PyObject *make_index(Index *index) {
    Py_BEGIN_ALLOW_THREADS
    measure_index(index);
    Py_END_ALLOW_THREADS
    PyObject *records = PyBytes_FromStringAndSize(NULL, index->size);
    if (records == NULL) return NULL;
    Py_BEGIN_ALLOW_THREADS /* nobody else has the records yet */
    write_index(index, PyBytes_AS_STRING(records));
    Py_END_ALLOW_THREADS
    PyObject *told = told_index(index, records);
    Py_DECREF(records);
    return told;
}

static PyObject *index_of(Index *index) {
    if (index->message_count > UINT32_MAX / INDEX_ENTRY_BYTES || !look_at_messages(index)) {
        PyErr_SetString(PyExc_ValueError, "an offset is none of a message in the chunk, or there are too many");
        return NULL;
    }
    PyObject *told = NULL;
    index->counts = PyMem_Calloc((size_t)index->channel_count + 1, sizeof(uint32_t));
    index->begins = PyMem_Calloc((size_t)index->channel_count + 1, sizeof(Py_ssize_t));
    if (index->counts != NULL && index->begins != NULL)
        told = make_index(index);
    else
        PyErr_NoMemory();
    PyMem_Free(index->counts);
    PyMem_Free(index->begins);
    return told;
}

/* index_messages(raw, offsets): the records, where each begins and what it counts, by channel */
static PyObject *index_messages(PyObject *module, PyObject *arguments) {
    Py_buffer raw, offsets;
    if (!PyArg_ParseTuple(arguments, "y*y*:index_messages", &raw, &offsets)) return NULL;
    Index index = {.raw = raw.buf,
                   .raw_size = raw.len,
                   .offsets = offsets.buf,
                   .message_count = offsets.len / (Py_ssize_t)sizeof(int64_t)};
    PyObject *told = index_of(&index);
    PyBuffer_Release(&raw);
    PyBuffer_Release(&offsets);
    return told;
}

static PyMethodDef functions[] = {
    {"append_frames", (PyCFunction)(void (*)(void))append_frames, METH_FASTCALL, NULL},
    {"index_messages", index_messages, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

int add_chunks(PyObject *module) { return PyModule_AddFunctions(module, functions); }
