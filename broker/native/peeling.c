/* Whether there is anything around packets. The twin is all_begin_with_slowly in broker/protocol/peeling.py. */

#include "native.h"

static bool begins_with_one(PyObject *frame, const char *is_one) {
    if (!PyTuple_Check(frame) || PyTuple_GET_SIZE(frame) != 2) return false;
    PyObject *body = PyTuple_GET_ITEM(frame, 1);
    if (!PyBytes_Check(body) || PyBytes_GET_SIZE(body) == 0) return false;
    return is_one[(unsigned char)PyBytes_AS_STRING(body)[0]] != 0;
}

static PyObject *all_begin_with(PyObject *module, PyObject *const *arguments, Py_ssize_t count) {
    if (count != 2 || !(PyList_Check(arguments[0]) || PyTuple_Check(arguments[0])) || !PyBytes_Check(arguments[1]) ||
        PyBytes_GET_SIZE(arguments[1]) != 256) {
        PyErr_SetString(PyExc_TypeError, "all_begin_with(frames: list or tuple, is_one: 256 bytes)");
        return NULL;
    }
    PyObject *frames = arguments[0];
    for (Py_ssize_t place = 0; place < PySequence_Fast_GET_SIZE(frames); place++)
        if (!begins_with_one(PySequence_Fast_GET_ITEM(frames, place), PyBytes_AS_STRING(arguments[1]))) Py_RETURN_FALSE;
    Py_RETURN_TRUE;
}

static PyMethodDef functions[] = {
    {"all_begin_with", (PyCFunction)(void (*)(void))all_begin_with, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};

int add_peeling(PyObject *module) { return PyModule_AddFunctions(module, functions); }
