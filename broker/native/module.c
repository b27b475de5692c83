/* The module: what it offers, and where each part is written. */

#include "native.h"

static PyMethodDef functions[] = {
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "broker.native._compiled",
    .m_doc = "Compiled twins of what runs for every packet.",
    .m_size = -1,
    .m_methods = functions,
};

PyMODINIT_FUNC PyInit__compiled(void) {
    PyObject *module = PyModule_Create(&definition);
    if (module == NULL) return NULL;
    if (add_young(module) < 0 || add_rows(module) < 0 || add_intake(module) < 0 || add_chunks(module) < 0 ||
        add_peeling(module) < 0 || add_replies(module) < 0) {
        Py_DECREF(module);
        return NULL;
    }
    return module;
}
