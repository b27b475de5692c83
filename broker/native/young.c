/* Calls younger than a second, in order of begin. The twin is Young in broker/observe/young.py.
 *
 * A hash table in the way of Python's dict: slots in order of coming, and an index of them that is probed in a row.
 * Entries of ordinary calls are kept as they are, without an object each; others lie in their slot as a tuple.
 */

#include "native.h"

#define EMPTY (-1)
#define GONE (-2)
#define LEAST_ROOM 256

/* SipHash-1-3 (Aumasson, Bernstein), keyed by process: ids come from strangers, who must not choose our collisions. */

static uint64_t seed[2];

#define ROTATED(x, by) (((x) << (by)) | ((x) >> (64 - (by))))
#define ROUND()                                                                                                       \
    do {                                                                                                               \
        a += b; c += d; b = ROTATED(b, 13) ^ a; d = ROTATED(d, 16) ^ c; a = ROTATED(a, 32);                            \
        c += b; a += d; b = ROTATED(b, 17) ^ c; d = ROTATED(d, 21) ^ a; c = ROTATED(c, 32);                            \
    } while (0)

uint64_t keyed_hash(const char *key, Py_ssize_t length) {
    uint64_t a = seed[0] ^ 0x736f6d6570736575u, b = seed[1] ^ 0x646f72616e646f6du;
    uint64_t c = seed[0] ^ 0x6c7967656e657261u, d = seed[1] ^ 0x7465646279746573u;
    uint64_t word, last = (uint64_t)length << 56;
    Py_ssize_t left = length;
    for (; left >= 8; left -= 8, key += 8) {
        memcpy(&word, key, 8);
        d ^= word;
        ROUND();
        a ^= word;
    }
    for (Py_ssize_t place = 0; place < left; place++) last |= (uint64_t)(unsigned char)key[place] << (8 * place);
    d ^= last;
    ROUND();
    a ^= last;
    c ^= 0xff;
    ROUND();
    ROUND();
    ROUND();
    return a ^ b ^ c ^ d;
}

static inline bool is_alive(const Slot *slot) { return slot->route != NULL || slot->entry != NULL; }

static inline bool has_key(const Slot *slot, uint64_t hash, const char *key, Py_ssize_t length) {
    if (slot->hash != hash) return false;
    if (slot->long_key == NULL) return slot->key_length == length && memcmp(slot->key, key, (size_t)length) == 0;
    return PyBytes_GET_SIZE(slot->long_key) == length && memcmp(PyBytes_AS_STRING(slot->long_key), key, (size_t)length) == 0;
}

static Slot *find(Young *self, uint64_t hash, const char *key, Py_ssize_t length) {
    if (self->alive == 0) return NULL;
    for (Py_ssize_t at = (Py_ssize_t)(hash & (uint64_t)self->mask);; at = (at + 1) & self->mask) {
        int32_t number = self->index[at];
        if (number == EMPTY) return NULL;
        if (number != GONE && has_key(&self->slots[number], hash, key, length)) return &self->slots[number];
    }
}

Slot *young_find(Young *self, const char *key, Py_ssize_t length) {
    return find(self, keyed_hash(key, length), key, length);
}

static void enter(Young *self, Py_ssize_t number) {
    Py_ssize_t at = (Py_ssize_t)(self->slots[number].hash & (uint64_t)self->mask);
    while (self->index[at] >= 0) at = (at + 1) & self->mask;
    self->index[at] = (int32_t)number;
}

/* Close the holes, and have twice the room where most of it is in use. */
static int make_room(Young *self) {
    Py_ssize_t room = self->room, to = 0;
    if (self->alive > room / 2 || room == 0) room = room == 0 ? LEAST_ROOM : room * 2;
    if (room > INT32_MAX / 4) {
        PyErr_NoMemory();
        return -1;
    }
    if (room != self->room) {
        Slot *slots = PyMem_Realloc(self->slots, (size_t)room * sizeof(Slot));
        if (slots == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        self->slots = slots;
        int32_t *index = PyMem_Realloc(self->index, (size_t)room * 2 * sizeof(int32_t));
        if (index == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        self->index = index;
        self->room = room;
        self->mask = room * 2 - 1;
    }
    for (Py_ssize_t from = self->first; from < self->used; from++) {
        if (!is_alive(&self->slots[from])) continue;
        if (from != to) self->slots[to] = self->slots[from];
        to++;
    }
    self->first = 0;
    self->used = to;
    memset(self->index, 0xff, (size_t)(self->mask + 1) * sizeof(int32_t)); /* EMPTY everywhere */
    for (Py_ssize_t number = 0; number < to; number++) enter(self, number);
    return 0;
}

Slot *young_add(Young *self, const char *key, Py_ssize_t length) {
    if (self->used >= self->room && make_room(self) < 0) return NULL;
    Slot *slot = &self->slots[self->used];
    slot->hash = keyed_hash(key, length);
    slot->route = slot->entry = slot->long_key = NULL;
    slot->id_begin = 0;
    if (length <= KEY_BYTES) {
        slot->key_length = (uint8_t)length;
        memcpy(slot->key, key, (size_t)length);
    } else {
        slot->long_key = PyBytes_FromStringAndSize(key, length);
        if (slot->long_key == NULL) return NULL;
    }
    enter(self, self->used);
    self->used++;
    self->alive++;
    return slot;
}

void young_remove(Young *self, Slot *slot) {
    Py_ssize_t number = slot - self->slots;
    Py_ssize_t at = (Py_ssize_t)(slot->hash & (uint64_t)self->mask);
    while (self->index[at] != (int32_t)number) at = (at + 1) & self->mask;
    self->index[at] = GONE;
    self->alive--;
    PyObject *route = slot->route, *entry = slot->entry, *long_key = slot->long_key;
    slot->route = slot->entry = slot->long_key = NULL;
    if (number == self->first)
        while (self->first < self->used && !is_alive(&self->slots[self->first])) self->first++;
    Py_XDECREF(route);
    Py_XDECREF(entry);
    Py_XDECREF(long_key);
}

/* -- entries as Python has them */

static PyObject *text_of(const char *text, uint8_t length) {
    if (length == NO_TEXT) Py_RETURN_NONE;
    return PyUnicode_DecodeASCII(text, length, NULL);
}

PyObject *young_entry(const Slot *slot) {
    if (slot->entry != NULL) return Py_NewRef(slot->entry);
    PyObject *id = text_of(slot->key + slot->id_begin, (uint8_t)(slot->key_length - slot->id_begin));
    PyObject *trace = text_of(slot->trace, slot->trace_length), *parent = text_of(slot->parent, slot->parent_length);
    PyObject *entry = NULL;
    if (id != NULL && trace != NULL && parent != NULL)
        entry = Py_BuildValue("LOIOOOKL", (long long)slot->begin_ns, slot->route, (unsigned int)slot->size, id, trace,
                              parent, (unsigned long long)slot->frame, (long long)slot->deadline_ns);
    Py_XDECREF(id);
    Py_XDECREF(trace);
    Py_XDECREF(parent);
    return entry;
}

static PyObject *key_of(const Slot *slot) {
    if (slot->long_key != NULL)
        return PyUnicode_DecodeUTF8(PyBytes_AS_STRING(slot->long_key), PyBytes_GET_SIZE(slot->long_key), "surrogatepass");
    return PyUnicode_DecodeUTF8(slot->key, slot->key_length, "surrogatepass");
}

/* A key's bytes, and a new reference to what holds them. */
static PyObject *key_bytes(PyObject *key, const char **text, Py_ssize_t *length) {
    if (!PyUnicode_Check(key)) {
        PyErr_SetString(PyExc_TypeError, "a key is a text");
        return NULL;
    }
    PyObject *bytes = PyUnicode_AsEncodedString(key, "utf-8", "surrogatepass");
    if (bytes != NULL) {
        *text = PyBytes_AS_STRING(bytes);
        *length = PyBytes_GET_SIZE(bytes);
    }
    return bytes;
}

/* What is set is the tuple itself: it comes from the long way, and may hold anything. */
static int set_entry(Young *self, const char *key, Py_ssize_t length, PyObject *entry) {
    if (!PyTuple_Check(entry) || PyTuple_GET_SIZE(entry) != 8 || !PyBytes_Check(PyTuple_GET_ITEM(entry, 1)) ||
        PyBytes_GET_SIZE(PyTuple_GET_ITEM(entry, 1)) != ROUTE_BYTES) {
        PyErr_SetString(PyExc_TypeError, "an entry is a tuple of 8, its second a route");
        return -1;
    }
    long long begin_ns = PyLong_AsLongLong(PyTuple_GET_ITEM(entry, 0));
    if (begin_ns == -1 && PyErr_Occurred()) return -1;
    Slot *slot = young_find(self, key, length);
    if (slot == NULL && (slot = young_add(self, key, length)) == NULL) return -1;
    PyObject *route = slot->route, *before = slot->entry;
    slot->begin_ns = begin_ns;
    slot->entry = Py_NewRef(entry);
    slot->route = NULL;
    Py_XDECREF(route);
    Py_XDECREF(before);
    return 0;
}

static PyObject *pop(Young *self, PyObject *key, PyObject *otherwise) {
    const char *text;
    Py_ssize_t length;
    PyObject *bytes = key_bytes(key, &text, &length);
    if (bytes == NULL) return NULL;
    Slot *slot = young_find(self, text, length);
    PyObject *entry = NULL;
    if (slot != NULL) {
        entry = young_entry(slot);
        if (entry != NULL) young_remove(self, slot);
    } else if (otherwise != NULL) {
        entry = Py_NewRef(otherwise);
    } else {
        PyErr_SetObject(PyExc_KeyError, key);
    }
    Py_DECREF(bytes);
    return entry;
}

/* -- what Python calls */

static PyObject *Young_get(Young *self, PyObject *key) {
    const char *text;
    Py_ssize_t length;
    PyObject *bytes = key_bytes(key, &text, &length);
    if (bytes == NULL) return NULL;
    Slot *slot = young_find(self, text, length);
    Py_DECREF(bytes);
    if (slot == NULL) Py_RETURN_NONE;
    return young_entry(slot);
}

static PyObject *Young_pop(Young *self, PyObject *arguments) {
    PyObject *key, *otherwise = NULL;
    if (!PyArg_ParseTuple(arguments, "O|O:pop", &key, &otherwise)) return NULL;
    return pop(self, key, otherwise);
}

static PyObject *Young_setdefault(Young *self, PyObject *arguments) {
    PyObject *key, *entry, *result = NULL;
    const char *text;
    Py_ssize_t length;
    if (!PyArg_ParseTuple(arguments, "OO!:setdefault", &key, &PyTuple_Type, &entry)) return NULL;
    PyObject *bytes = key_bytes(key, &text, &length);
    if (bytes == NULL) return NULL;
    Slot *slot = young_find(self, text, length);
    if (slot != NULL)
        result = young_entry(slot);
    else if (set_entry(self, text, length, entry) == 0)
        result = Py_NewRef(entry);
    Py_DECREF(bytes);
    return result;
}

static PyObject *item_of(const Slot *slot) {
    PyObject *key = key_of(slot), *entry = young_entry(slot), *item = NULL;
    if (key != NULL && entry != NULL) item = PyTuple_Pack(2, key, entry);
    Py_XDECREF(key);
    Py_XDECREF(entry);
    return item;
}

static int append_new(PyObject *list, PyObject *item) {
    if (item == NULL) return -1;
    int outcome = PyList_Append(list, item);
    Py_DECREF(item);
    return outcome;
}

/* Keys and entries of those that one is wanted of, in order of begin. */
static PyObject *items_where(Young *self, bool (*is_wanted)(const Slot *, int64_t), int64_t by, bool stops) {
    PyObject *list = PyList_New(0);
    for (Py_ssize_t number = self->first; list != NULL && number < self->used; number++) {
        const Slot *slot = &self->slots[number];
        if (!is_alive(slot)) continue;
        if (!is_wanted(slot, by)) {
            if (stops) break;
            continue;
        }
        if (append_new(list, item_of(slot)) < 0) Py_CLEAR(list);
    }
    return list;
}

static bool began_until(const Slot *slot, int64_t moment_ns) { return slot->begin_ns <= moment_ns; }

static bool goes_to(const Slot *slot, int64_t node) {
    PyObject *route = slot->entry != NULL ? PyTuple_GET_ITEM(slot->entry, 1) : slot->route;
    if (slot->entry != NULL ? PyObject_IsTrue(PyTuple_GET_ITEM(slot->entry, 7)) : slot->deadline_ns != 0) return false;
    const unsigned char *octets = (const unsigned char *)PyBytes_AS_STRING(route);
    return (octets[8] | octets[9] << 8) == node;
}

static bool always(const Slot *slot, int64_t by) { return true; }

static PyObject *Young_begun_until(Young *self, PyObject *moment_ns) {
    long long until_ns = PyLong_AsLongLong(moment_ns);
    if (until_ns == -1 && PyErr_Occurred()) return NULL;
    return items_where(self, began_until, until_ns, true);
}

static PyObject *Young_endless_to(Young *self, PyObject *node) {
    long number = PyLong_AsLong(node);
    if (number == -1 && PyErr_Occurred()) return NULL;
    return items_where(self, goes_to, number, false);
}

static PyObject *Young_all(Young *self, PyObject *unused) { return items_where(self, always, 0, false); }

static PyObject *Young_oldest_ns(Young *self, PyObject *unused) {
    if (self->alive == 0) Py_RETURN_NONE;
    return PyLong_FromLongLong(self->slots[self->first].begin_ns);
}

static PyObject *Young_forget_oldest(Young *self, PyObject *most) {
    Py_ssize_t count = PyLong_AsSsize_t(most), forgotten = 0;
    if (count == -1 && PyErr_Occurred()) return NULL;
    for (; forgotten < count && self->alive > 0; forgotten++) young_remove(self, &self->slots[self->first]);
    return PyLong_FromSsize_t(forgotten);
}

static PyMethodDef methods[] = {
    {"get", (PyCFunction)Young_get, METH_O, NULL},
    {"pop", (PyCFunction)Young_pop, METH_VARARGS, NULL},
    {"setdefault", (PyCFunction)Young_setdefault, METH_VARARGS, NULL},
    {"all", (PyCFunction)Young_all, METH_NOARGS, NULL},
    {"begun_until", (PyCFunction)Young_begun_until, METH_O, NULL},
    {"endless_to", (PyCFunction)Young_endless_to, METH_O, NULL},
    {"oldest_ns", (PyCFunction)Young_oldest_ns, METH_NOARGS, NULL},
    {"forget_oldest", (PyCFunction)Young_forget_oldest, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static Py_ssize_t Young_length(PyObject *self) { return ((Young *)self)->alive; }

static int Young_contains(PyObject *self, PyObject *key) {
    const char *text;
    Py_ssize_t length;
    PyObject *bytes = key_bytes(key, &text, &length);
    if (bytes == NULL) return -1;
    bool is_there = young_find((Young *)self, text, length) != NULL;
    Py_DECREF(bytes);
    return is_there;
}

static int Young_set_item(PyObject *self, PyObject *key, PyObject *entry) {
    const char *text;
    Py_ssize_t length;
    if (entry == NULL) {
        PyObject *gone = pop((Young *)self, key, NULL);
        Py_XDECREF(gone);
        return gone == NULL ? -1 : 0;
    }
    PyObject *bytes = key_bytes(key, &text, &length);
    if (bytes == NULL) return -1;
    int outcome = set_entry((Young *)self, text, length, entry);
    Py_DECREF(bytes);
    return outcome;
}

static PyMappingMethods as_mapping = {.mp_length = Young_length, .mp_ass_subscript = Young_set_item};
static PySequenceMethods as_sequence = {.sq_contains = Young_contains};

static void Young_dealloc(Young *self) {
    for (Py_ssize_t number = self->first; number < self->used; number++) {
        Slot *slot = &self->slots[number];
        if (!is_alive(slot)) continue;
        Py_XDECREF(slot->route);
        Py_XDECREF(slot->entry);
        Py_XDECREF(slot->long_key);
    }
    PyMem_Free(self->slots);
    PyMem_Free(self->index);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

PyTypeObject Young_Type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "broker.native._compiled.Young",
    .tp_basicsize = sizeof(Young),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "Calls younger than a second.",
    .tp_new = PyType_GenericNew, /* all is 0: no room, nothing in it */
    .tp_dealloc = (destructor)Young_dealloc,
    .tp_methods = methods,
    .tp_as_mapping = &as_mapping,
    .tp_as_sequence = &as_sequence,
};

int add_young(PyObject *module) {
    const char *grains[2] = {"calls", "that wait"};
    for (int half = 0; half < 2; half++) { /* Python's own hash is keyed by process */
        PyObject *grain = PyBytes_FromString(grains[half]);
        if (grain == NULL) return -1;
        seed[half] = (uint64_t)PyObject_Hash(grain);
        Py_DECREF(grain);
    }
    if (PyType_Ready(&Young_Type) < 0) return -1;
    return PyModule_AddObjectRef(module, "Young", (PyObject *)&Young_Type);
}
