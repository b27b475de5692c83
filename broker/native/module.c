/* The module: what it offers, and where each part is written. */

#include "native.h"

static struct PyModuleDef definition = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "broker.native._compiled",
    .m_doc = "Compiled twins of what runs for every packet.",
    .m_size = -1,
};

static int (*const parts[])(PyObject *) = {
    add_young,
    add_rows,
    add_intake,
    add_chunks,
    add_peeling,
    add_straight,
    add_replies,
    add_reading_thread,
    add_search,
    add_plain,
    add_ear,
    add_post,
    add_unpacked,
    add_wait,
    add_counting,
};

PyObject *taken_exception(void) {
    PyObject *type, *error, *traceback;
    PyErr_Fetch(&type, &error, &traceback);
    PyErr_NormalizeException(&type, &error, &traceback);
    if (error != NULL && traceback != NULL) PyException_SetTraceback(error, traceback);
    Py_XDECREF(type);
    Py_XDECREF(traceback);
    return error;
}

PyMODINIT_FUNC PyInit__compiled(void) {
    PyObject *module = PyModule_Create(&definition);
    if (module == NULL) return NULL;
    for (size_t part = 0; part < sizeof(parts) / sizeof(parts[0]); part++) {
        if (parts[part](module) < 0) {
            Py_DECREF(module);
            return NULL;
        }
    }
    return module;
}
