/* Whether data is written as it is. The twin is is_written_as_it_is_slowly in broker/protocol/serializers/json.py. */

#include "native.h"

#define MOST_LEVELS 200 /* what nests deeper is left to the twin */

static bool is_plain(PyObject *value, int levels) {
    if (PyUnicode_CheckExact(value) || PyLong_CheckExact(value) || value == Py_None || PyFloat_CheckExact(value) ||
        PyBool_Check(value))
        return true;
    if (levels == 0) return false;
    if (PyDict_CheckExact(value)) {
        Py_ssize_t place = 0;
        PyObject *item;
        while (PyDict_Next(value, &place, NULL, &item))
            if (!is_plain(item, levels - 1)) return false;
        return true;
    }
    if (PyList_CheckExact(value)) {
        for (Py_ssize_t place = 0; place < PyList_GET_SIZE(value); place++)
            if (!is_plain(PyList_GET_ITEM(value, place), levels - 1)) return false;
        return true;
    }
    if (PyTuple_CheckExact(value)) {
        for (Py_ssize_t place = 0; place < PyTuple_GET_SIZE(value); place++)
            if (!is_plain(PyTuple_GET_ITEM(value, place), levels - 1)) return false;
        return true;
    }
    return false;
}

static PyObject *is_written_as_it_is(PyObject *module, PyObject *value) {
    return PyBool_FromLong(is_plain(value, MOST_LEVELS));
}

static PyMethodDef functions[] = {
    {"is_written_as_it_is", is_written_as_it_is, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

int add_plain(PyObject *module) { return PyModule_AddFunctions(module, functions); }
