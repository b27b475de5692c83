/* What one task waits for. The twin is asyncio.Future, of which it speaks as much as a task needs.
 *
 * Where no task runs, as when the loop hands out what arrived, the task may go on at once: a turn of the loop less,
 * and less to be fetched into cold caches.
 */

#include "native.h"

#include <stddef.h>

#include "structmember.h"

typedef enum { WAITING, CANCELLED, FAILED, DONE } State;

typedef struct {
    PyObject_HEAD
    PyObject *loop;
    PyObject *wake, *context; /* what the task gave us, with its context; NULL: no task waits yet */
    PyObject *outcome;        /* the result, or the exception */
    State state;
    char blocking;
} Wait;

static PyObject *current_task;  /* asyncio.current_task */
static PyObject *current_tasks; /* dict: all that it looks at where it is written in Python, as in 3.11; else NULL */

/* Whether a task runs in a loop now; -1 with an exception. */
static int does_a_task_run(PyObject *loop) {
    if (current_tasks != NULL) {
        PyObject *task = PyDict_GetItemWithError(current_tasks, loop);
        return task == NULL && PyErr_Occurred() ? -1 : task != NULL && task != Py_None;
    }
    PyObject *task = PyObject_CallOneArg(current_task, loop);
    if (task == NULL) return -1;
    Py_DECREF(task);
    return task != Py_None;
}

static PyObject *outcome_of(Wait *self) {
    if (self->state == DONE) return Py_NewRef(self->outcome);
    if (self->state == FAILED) {
        PyErr_SetObject((PyObject *)Py_TYPE(self->outcome), self->outcome);
        return NULL;
    }
    PyObject *asyncio = PyImport_ImportModule("asyncio");
    const char *name = self->state == CANCELLED ? "CancelledError" : "InvalidStateError";
    PyObject *kind = asyncio == NULL ? NULL : PyObject_GetAttrString(asyncio, name);
    if (kind != NULL) PyErr_SetNone(kind);
    Py_XDECREF(kind);
    Py_XDECREF(asyncio);
    return NULL;
}

/* Lets the task go on, in the context that it gave. */
static int wake_soon(Wait *self, PyObject *wake, PyObject *context) {
    PyObject *call_soon = PyObject_GetAttrString(self->loop, "call_soon");
    if (call_soon == NULL) return -1;
    PyObject *names = Py_BuildValue("(s)", "context");
    PyObject *arguments[] = {NULL, wake, (PyObject *)self, context};
    PyObject *handle =
        names == NULL ? NULL : PyObject_Vectorcall(call_soon, arguments + 1, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, names);
    Py_XDECREF(names);
    Py_DECREF(call_soon);
    Py_XDECREF(handle);
    return handle == NULL ? -1 : 0;
}

static PyObject *raise_it(PyObject *unused, PyObject *error) {
    PyErr_SetObject((PyObject *)Py_TYPE(error), error);
    return NULL;
}

static PyMethodDef raise_definition = {"raise_it", raise_it, METH_O, NULL};

/* What a task does not keep to itself, such as SystemExit, ends the loop, and not whoever settled this. */
static int raise_soon(Wait *self) {
    PyObject *error = taken_exception();
    PyObject *raise = error == NULL ? NULL : PyCFunction_New(&raise_definition, NULL);
    PyObject *handle = raise == NULL ? NULL : PyObject_CallMethod(self->loop, "call_soon", "OO", raise, error);
    Py_XDECREF(handle);
    Py_XDECREF(raise);
    Py_XDECREF(error);
    return handle == NULL ? -1 : 0;
}

static int wake_now(Wait *self, PyObject *wake, PyObject *context) {
    if (PyContext_Enter(context) < 0) { /* somebody is in it */
        PyErr_Clear();
        return wake_soon(self, wake, context);
    }
    PyObject *done = PyObject_CallOneArg(wake, (PyObject *)self);
    int outcome = done == NULL ? raise_soon(self) : 0;
    Py_XDECREF(done);
    if (PyContext_Exit(context) < 0) return -1;
    return outcome;
}

/* Whether something happened that had not before; -1 with an exception. */
static int settle(Wait *self, State state, PyObject *outcome, bool is_now) {
    if (self->state != WAITING) return 0;
    self->state = state;
    self->outcome = Py_XNewRef(outcome);
    PyObject *wake = self->wake, *context = self->context;
    if (wake == NULL) return 1;
    self->wake = self->context = NULL;
    int verdict = is_now ? does_a_task_run(self->loop) : 1;
    if (verdict >= 0) verdict = verdict ? wake_soon(self, wake, context) : wake_now(self, wake, context);
    Py_DECREF(wake);
    Py_DECREF(context);
    return verdict < 0 ? -1 : 1;
}

/* -- what Python calls */

static PyObject *settled(int verdict) { return verdict < 0 ? NULL : PyBool_FromLong(verdict); }

static PyObject *Wait_set_result(Wait *self, PyObject *result) { return settled(settle(self, DONE, result, false)); }

/* give(result): as set_result, but the task goes on before this returns, where no task runs. */
static PyObject *Wait_give(Wait *self, PyObject *result) { return settled(settle(self, DONE, result, true)); }

static PyObject *Wait_set_exception(Wait *self, PyObject *error) {
    if (!PyExceptionInstance_Check(error)) {
        PyErr_SetString(PyExc_TypeError, "set_exception(error: exception)");
        return NULL;
    }
    return settled(settle(self, FAILED, error, false));
}

/* cancel(msg=None): as tasks call it; the message is told nobody. */
static PyObject *Wait_cancel(Wait *self, PyObject *arguments, PyObject *named) {
    return settled(settle(self, CANCELLED, NULL, false));
}

static PyObject *Wait_done(Wait *self, PyObject *unused) { return PyBool_FromLong(self->state != WAITING); }

static PyObject *Wait_result(Wait *self, PyObject *unused) { return outcome_of(self); }

static PyObject *Wait_get_loop(Wait *self, PyObject *unused) { return Py_NewRef(self->loop); }

/* add_done_callback(wake, *, context): of the one task that waits. */
static PyObject *Wait_add_done_callback(Wait *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
    if (count != 1 || names == NULL || PyTuple_GET_SIZE(names) != 1 || !PyContext_CheckExact(arguments[1])) {
        PyErr_SetString(PyExc_TypeError, "add_done_callback(wake, *, context)");
        return NULL;
    }
    if (self->wake != NULL) {
        PyErr_SetString(PyExc_RuntimeError, "another task waits for this already");
        return NULL;
    }
    if (self->state != WAITING) {
        if (wake_soon(self, arguments[0], arguments[1]) < 0) return NULL;
        Py_RETURN_NONE;
    }
    self->wake = Py_NewRef(arguments[0]);
    self->context = Py_NewRef(arguments[1]);
    Py_RETURN_NONE;
}

static PyObject *Wait_await(PyObject *self) { return Py_NewRef(self); }

static PyObject *Wait_next(Wait *self) {
    if (self->state == WAITING) {
        self->blocking = 1;
        return Py_NewRef(self);
    }
    PyObject *result = outcome_of(self);
    if (result == NULL) return NULL;
    PyObject *stop = PyObject_CallOneArg(PyExc_StopIteration, result); /* a tuple would be taken for its arguments */
    if (stop != NULL) PyErr_SetObject(PyExc_StopIteration, stop);
    Py_XDECREF(stop);
    Py_DECREF(result);
    return NULL;
}

static PyObject *Wait_new(PyTypeObject *type, PyObject *arguments, PyObject *unused) {
    PyObject *loop;
    if (!PyArg_ParseTuple(arguments, "O:Wait", &loop)) return NULL;
    Wait *self = (Wait *)type->tp_alloc(type, 0);
    if (self != NULL) self->loop = Py_NewRef(loop);
    return (PyObject *)self;
}

static int Wait_traverse(Wait *self, visitproc visit, void *arg) {
    Py_VISIT(self->loop);
    Py_VISIT(self->wake);
    Py_VISIT(self->context);
    Py_VISIT(self->outcome);
    return 0;
}

static int Wait_clear(Wait *self) {
    Py_CLEAR(self->wake);
    Py_CLEAR(self->context);
    Py_CLEAR(self->outcome);
    return 0;
}

static void Wait_dealloc(Wait *self) {
    PyObject_GC_UnTrack(self);
    Wait_clear(self);
    Py_CLEAR(self->loop);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyMemberDef members[] = {
    {"_asyncio_future_blocking", T_BOOL, offsetof(Wait, blocking), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyMethodDef methods[] = {
    {"set_result", (PyCFunction)Wait_set_result, METH_O, NULL},
    {"give", (PyCFunction)Wait_give, METH_O, NULL},
    {"set_exception", (PyCFunction)Wait_set_exception, METH_O, NULL},
    {"cancel", (PyCFunction)(void (*)(void))Wait_cancel, METH_VARARGS | METH_KEYWORDS, NULL},
    {"done", (PyCFunction)Wait_done, METH_NOARGS, NULL},
    {"result", (PyCFunction)Wait_result, METH_NOARGS, NULL},
    {"get_loop", (PyCFunction)Wait_get_loop, METH_NOARGS, NULL},
    {"add_done_callback", (PyCFunction)(void (*)(void))Wait_add_done_callback, METH_FASTCALL | METH_KEYWORDS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyAsyncMethods async_methods = {.am_await = Wait_await};

static PyTypeObject Wait_Type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "broker.native._compiled.Wait",
    .tp_basicsize = sizeof(Wait),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "What one task waits for.",
    .tp_as_async = &async_methods,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = (iternextfunc)Wait_next,
    .tp_new = Wait_new,
    .tp_dealloc = (destructor)Wait_dealloc,
    .tp_traverse = (traverseproc)Wait_traverse,
    .tp_clear = (inquiry)Wait_clear,
    .tp_members = members,
    .tp_methods = methods,
};

int add_wait(PyObject *module) {
    PyObject *tasks = PyImport_ImportModule("asyncio.tasks");
    if (tasks == NULL) return -1;
    current_task = PyObject_GetAttrString(tasks, "current_task");
    if (current_task != NULL && PyFunction_Check(current_task)) {
        current_tasks = PyObject_GetAttrString(tasks, "_current_tasks");
        if (current_tasks == NULL) PyErr_Clear();
        if (current_tasks != NULL && !PyDict_Check(current_tasks)) Py_CLEAR(current_tasks);
    }
    Py_DECREF(tasks);
    if (current_task == NULL || PyType_Ready(&Wait_Type) < 0) return -1;
    return PyModule_AddObjectRef(module, "Wait", (PyObject *)&Wait_Type);
}
