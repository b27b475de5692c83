/* Reads a socket in a thread of its own, which never waits for the interpreter: it keeps what it read until Python takes
 * it. The twins are Rounds, Reading and PolledReader in broker/transport/redis. Linux only: others do not
 * stamp what arrives on a stream.
 */

#include "native.h"

#ifdef __linux__

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define STAMP 35 /* SO_TIMESTAMPNS where time has 64 bits, on whatever machine */
#define PIECE_BYTES (1 << 15) /* as the twin has it */
#define NOTE_BYTES 64
#define SECOND_NS 1000000000

/* How a round ended, as the twin says it; above 0 the errno of an error. */
#define DRAINED 0
#define MORE (-1)
#define HUNG_UP (-2)

/* What one read brought. */
typedef struct Piece {
    struct Piece *next;
    int64_t wall_ns; /* of the kernel's clock */
    Py_ssize_t length;
    bool has_waited;
    bool begins_round;
    char bytes[];
} Piece;

#define SLAB_BYTES (1 << 18)
#define MOST_SPARE 8

/* Room in which pieces lie one behind the other. */
typedef struct Slab {
    struct Slab *next; /* an older one */
    size_t used;
    _Alignas(Piece) char room[SLAB_BYTES];
} Slab;

/* As broker/transport/redis/pace.py explains them. */
typedef struct {
    long long pile_ns;
    Py_ssize_t least_bytes, most_bytes, pile_bytes, think_bytes, most_waiting_bytes;
    int stamps_a_round, most_reads;
} Pace;

typedef struct {
    PyObject_HEAD
    Pace pace;
    int socket, notice, control; /* -1: closed. The thread wakes the loop by `notice`; `control` wakes the thread. */
    pthread_t thread;
    bool has_thread;
    pid_t process; /* that has the thread: one that was forked from it has not */
    int64_t at_ns; /* of what was taken last */

    pthread_mutex_t mutex; /* for all that follows */
    Piece *first, *last;   /* waiting to be taken */
    Slab *slabs, *spare;   /* where they lie, the newest first; those in which nothing lies */
    int spare_count;
    Py_ssize_t waiting_bytes;
    Py_ssize_t read_bytes; /* of the next round's first reads */
    int64_t piled_ns;
    int ending; /* DRAINED while there is none */
    bool is_stopping, is_hurried, is_behind;
    bool is_awaited; /* the next piece is worth a notice */
    bool is_full;    /* that much is waiting has been told */
    bool is_stalled; /* the thread reads no more until something was taken */
} ReadingThread;

static int64_t nanoseconds(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * SECOND_NS + now.tv_nsec;
}

static void wake(int event) {
    uint64_t one = 1;
    /* fails only if it has been written 2^64 - 2 times, and then the other side is awake */
    if (event >= 0 && write(event, &one, sizeof one) < 0) return;
}

static void hush(int event) {
    uint64_t count;
    if (read(event, &count, sizeof count) < 0) return; /* nobody had written */
}

/* -- reading, with the mutex held */

/* When the kernel says that it arrived; what it has not stamped arrives now. */
static int64_t stamp_of(struct msghdr *message) {
    int64_t stamp[2]; /* s, ns */
    for (struct cmsghdr *note = CMSG_FIRSTHDR(message); note != NULL; note = CMSG_NXTHDR(message, note)) {
        if (note->cmsg_level != SOL_SOCKET || note->cmsg_type != STAMP) continue;
        if (note->cmsg_len != CMSG_LEN(sizeof stamp)) continue;
        memcpy(stamp, CMSG_DATA(note), sizeof stamp);
        return stamp[0] * SECOND_NS + stamp[1];
    }
    return nanoseconds(CLOCK_REALTIME);
}

/* Room for a piece that may have so many bytes; NULL if memory is short. */
static Piece *room_for(ReadingThread *self, Py_ssize_t size) {
    if (self->slabs == NULL || SLAB_BYTES - self->slabs->used < sizeof(Piece) + (size_t)size) {
        Slab *slab = self->spare;
        if (slab != NULL) {
            self->spare = slab->next;
            self->spare_count--;
        } else if ((slab = malloc(sizeof(Slab))) == NULL) {
            return NULL;
        }
        slab->next = self->slabs;
        slab->used = 0;
        self->slabs = slab;
    }
    return (Piece *)(void *)(self->slabs->room + self->slabs->used);
}

static void keep(ReadingThread *self, Piece *piece) {
    size_t size = sizeof(Piece) + (size_t)piece->length;
    self->slabs->used += (size + _Alignof(Piece) - 1) / _Alignof(Piece) * _Alignof(Piece);
    if (self->slabs->used > SLAB_BYTES) self->slabs->used = SLAB_BYTES;
    if (self->first == NULL)
        self->first = piece;
    else
        self->last->next = piece;
    self->last = piece;
    self->waiting_bytes += piece->length;
}

/* Reads once and keeps it. The length; 0 at the end; below it an errno. */
static Py_ssize_t read_once(ReadingThread *self, Py_ssize_t size, bool has_waited, bool begins_round) {
    union {
        struct cmsghdr aligned;
        char bytes[NOTE_BYTES];
    } notes;
    Piece *piece = room_for(self, size);
    if (piece == NULL) return -ENOMEM;
    struct iovec room = {piece->bytes, (size_t)size};
    struct msghdr message = {.msg_iov = &room, .msg_iovlen = 1, .msg_control = &notes, .msg_controllen = sizeof notes};
    Py_ssize_t length = recvmsg(self->socket, &message, MSG_DONTWAIT);
    if (length <= 0) return length < 0 ? -errno : 0;
    piece->next = NULL;
    piece->wall_ns = stamp_of(&message);
    piece->length = length;
    piece->has_waited = has_waited;
    piece->begins_round = begins_round;
    keep(self, piece);
    return length;
}

/* Reads until there is nothing more, or others should have their turn. How it ended. */
static int read_pieces(ReadingThread *self, bool has_waited, Py_ssize_t *total) {
    Py_ssize_t size = self->read_bytes;
    for (int number = 0; number < self->pace.most_reads; number++) {
        Py_ssize_t length = read_once(self, size, has_waited || number > 0, number == 0);
        if (length == 0) return HUNG_UP;
        if (length == -EAGAIN || length == -EWOULDBLOCK || length == -EINTR) return DRAINED;
        if (length < 0) return (int)-length;
        *total += length;
        if (length < size) return DRAINED;
        if (number >= self->pace.stamps_a_round) size = self->pace.most_bytes; /* much has piled up */
    }
    return MORE;
}

/* Whether the loop should know now of what is waiting. */
static bool is_worth_a_notice(ReadingThread *self, bool has_read) {
    if (self->ending != DRAINED) return true;
    if (!has_read) return false;
    bool was_full = self->is_full;
    self->is_full = self->waiting_bytes >= self->pace.think_bytes;
    return self->is_hurried || self->is_awaited || (self->is_full && !was_full);
}

/* Whether there was anything to read. */
static bool read_round(ReadingThread *self) {
    const Pace *pace = &self->pace;
    Py_ssize_t total = 0;
    bool has_waited = self->is_behind || nanoseconds(CLOCK_MONOTONIC) - self->piled_ns < pace->pile_ns;
    int ending = read_pieces(self, has_waited, &total);
    if (ending != DRAINED && ending != MORE) self->ending = ending;
    self->is_behind = ending == MORE;
    if (total >= pace->pile_bytes) {
        self->is_behind = true;
        self->piled_ns = nanoseconds(CLOCK_MONOTONIC);
    }
    self->read_bytes = Py_MIN(Py_MAX(pace->least_bytes, total / pace->stamps_a_round), pace->most_bytes);
    if (is_worth_a_notice(self, total > 0)) {
        self->is_awaited = false;
        wake(self->notice);
    }
    return total > 0;
}

/* -- the thread */

/* Waits until Python wants something; or for the socket, too; or only looks. */
static void wait_for(ReadingThread *self, bool for_socket, bool is_waiting) {
    struct pollfd waited[] = {{.fd = self->control, .events = POLLIN}, {.fd = self->socket, .events = POLLIN}};
    poll(waited, for_socket ? 2 : 1, is_waiting ? -1 : 0);
    if (waited[0].revents != 0) hush(self->control);
}

/* Reads a round, and waits until there is more. What comes is read at once: the kernel joins what waits for us, and keeps
 * one stamp of it. */
static void take_a_turn(ReadingThread *self) {
    bool is_stalled = self->is_stalled = self->waiting_bytes >= self->pace.most_waiting_bytes;
    if (!is_stalled) read_round(self);
    bool is_waiting = is_stalled || (self->ending == DRAINED && !self->is_behind);
    pthread_mutex_unlock(&self->mutex);
    wait_for(self, !is_stalled, is_waiting);
    pthread_mutex_lock(&self->mutex);
}

static void *run(void *argument) {
    ReadingThread *self = argument;
    pthread_mutex_lock(&self->mutex);
    while (!self->is_stopping && self->ending == DRAINED) take_a_turn(self);
    pthread_mutex_unlock(&self->mutex);
    return NULL;
}

/* -- what Python calls, with the interpreter's lock, which the thread never waits for: so to wait here for the mutex, a round
 * at most, or for the thread to end, cannot go on for ever */

/* Signals are for Python's threads. */
static int start_thread(ReadingThread *self) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int outcome = pthread_create(&self->thread, NULL, run, self);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (outcome != 0) return outcome;
    self->has_thread = true;
    self->process = getpid();
    pthread_setname_np(self->thread, "bus reader");
    return 0;
}

static PyObject *ReadingThread_start(ReadingThread *self, PyObject *unused) {
    if (self->has_thread || self->socket < 0) {
        PyErr_SetString(PyExc_RuntimeError, "it was started or closed before");
        return NULL;
    }
    int outcome = start_thread(self);
    if (outcome == 0) Py_RETURN_NONE;
    errno = outcome;
    return PyErr_SetFromErrno(PyExc_OSError);
}

static void stop(ReadingThread *self) {
    if (self->has_thread && self->process != getpid()) self->has_thread = false; /* and who knows who has the mutex */
    if (!self->has_thread) return;
    pthread_mutex_lock(&self->mutex);
    self->is_stopping = true;
    pthread_mutex_unlock(&self->mutex);
    wake(self->control);
    pthread_join(self->thread, NULL);
    self->has_thread = false;
    wake(self->notice);
}

/* stop(): ends the thread, and tells the loop; what it read may still be taken. */
static PyObject *ReadingThread_stop(ReadingThread *self, PyObject *unused) {
    stop(self);
    Py_RETURN_NONE;
}

static void close_one(int *descriptor) {
    if (*descriptor >= 0) close(*descriptor);
    *descriptor = -1;
}

static void free_all(Slab *slab) {
    while (slab != NULL) {
        Slab *next = slab->next;
        free(slab);
        slab = next;
    }
}

/* Nothing lies there any more: some are used again. */
static void give_back(ReadingThread *self, Slab *slabs) {
    pthread_mutex_lock(&self->mutex);
    while (slabs != NULL && self->spare_count < MOST_SPARE) {
        Slab *next = slabs->next;
        slabs->next = self->spare;
        self->spare = slabs;
        self->spare_count++;
        slabs = next;
    }
    pthread_mutex_unlock(&self->mutex);
    free_all(slabs);
}

static void close_all(ReadingThread *self) {
    stop(self);
    close_one(&self->socket);
    close_one(&self->notice);
    close_one(&self->control);
    free_all(self->slabs);
    free_all(self->spare);
    self->first = self->last = NULL;
    self->slabs = self->spare = NULL;
    self->spare_count = 0;
    self->waiting_bytes = 0;
}

/* close(): ends the thread, and forgets what it read. */
static PyObject *ReadingThread_close(ReadingThread *self, PyObject *unused) {
    close_all(self);
    Py_RETURN_NONE;
}

/* read(): reads a round here and now. Whether there was anything. */
static PyObject *ReadingThread_read(ReadingThread *self, PyObject *unused) {
    bool has_read = false;
    if (self->socket >= 0) {
        pthread_mutex_lock(&self->mutex);
        has_read = self->socket >= 0 && self->ending == DRAINED && read_round(self);
        pthread_mutex_unlock(&self->mutex);
    }
    return PyBool_FromLong(has_read);
}

/* hurry(is_hurried) */
static PyObject *ReadingThread_hurry(ReadingThread *self, PyObject *is_hurried) {
    pthread_mutex_lock(&self->mutex);
    self->is_hurried = is_hurried == Py_True;
    pthread_mutex_unlock(&self->mutex);
    wake(self->control);
    Py_RETURN_NONE;
}

/* noticed(): after a notice, how many bytes wait to be taken, and the ending. */
static PyObject *ReadingThread_noticed(ReadingThread *self, PyObject *unused) {
    if (self->notice >= 0) hush(self->notice);
    pthread_mutex_lock(&self->mutex);
    Py_ssize_t waiting_bytes = self->waiting_bytes;
    int ending = self->ending;
    pthread_mutex_unlock(&self->mutex);
    return Py_BuildValue("ni", waiting_bytes, ending);
}

typedef struct {
    int64_t now_ns, ahead_ns;
} Clocks;

/* When a piece arrived: never before what arrived before it, never later than now. */
static int64_t moment_of(ReadingThread *self, const Piece *piece, const Clocks *moment) {
    int64_t at_ns = Py_MIN(moment->now_ns, piece->wall_ns + moment->ahead_ns);
    return Py_MAX(self->at_ns, at_ns);
}

/* Makes one of all that has the same stamp and was read in the same round; the first piece behind it. */
static const Piece *append_one(ReadingThread *self, const Piece *piece, const Clocks *moment, PyObject *arrived) {
    Py_ssize_t length = piece->length;
    self->at_ns = moment_of(self, piece, moment);
    const Piece *behind = piece->next;
    for (; behind != NULL && !behind->begins_round; behind = behind->next) {
        if (moment_of(self, behind, moment) != self->at_ns || length + behind->length > PIECE_BYTES) break;
        length += behind->length;
    }
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, length);
    if (bytes == NULL) return NULL;
    char *place = PyBytes_AS_STRING(bytes);
    for (const Piece *part = piece; part != behind; part = part->next) {
        memcpy(place, part->bytes, (size_t)part->length);
        place += part->length;
    }
    PyObject *one = Py_BuildValue("LNO", (long long)self->at_ns, bytes, piece->has_waited ? Py_True : Py_False);
    int outcome = one == NULL ? -1 : PyList_Append(arrived, one);
    Py_XDECREF(one);
    return outcome < 0 ? NULL : behind;
}

static PyObject *as_list(ReadingThread *self, const Piece *piece, const Clocks *moment) {
    PyObject *arrived = PyList_New(0);
    while (piece != NULL && arrived != NULL) {
        piece = append_one(self, piece, moment, arrived);
        if (piece == NULL && PyErr_Occurred()) Py_CLEAR(arrived);
    }
    return arrived;
}

/* take(now_ns, ahead_ns, is_awaiting): all that waits, and the ending. */
static PyObject *ReadingThread_take(ReadingThread *self, PyObject *const *arguments, Py_ssize_t count) {
    if (count != 3) {
        PyErr_SetString(PyExc_TypeError, "take(now_ns, ahead_ns, is_awaiting)");
        return NULL;
    }
    Clocks moment = {.now_ns = PyLong_AsLongLong(arguments[0]), .ahead_ns = PyLong_AsLongLong(arguments[1])};
    if (PyErr_Occurred()) return NULL;
    pthread_mutex_lock(&self->mutex);
    Piece *all = self->first;
    Slab *slabs = self->slabs;
    self->first = self->last = NULL;
    self->slabs = NULL;
    self->waiting_bytes = 0;
    self->is_full = false;
    self->is_awaited = all == NULL || arguments[2] == Py_True;
    bool was_stalled = self->is_stalled;
    int ending = self->ending;
    pthread_mutex_unlock(&self->mutex);
    if (was_stalled) wake(self->control);
    PyObject *arrived = as_list(self, all, &moment);
    give_back(self, slabs);
    return arrived == NULL ? NULL : Py_BuildValue("Ni", arrived, ending);
}

/* -- the type */

static bool is_odd(const Pace *pace) {
    return pace->least_bytes < 1 || pace->least_bytes > pace->most_bytes || pace->most_bytes > PIECE_BYTES ||
           pace->stamps_a_round < 1 || pace->most_reads < 1;
}

static int open_all(ReadingThread *self, int descriptor) {
    self->socket = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
    self->notice = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    self->control = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return self->socket < 0 || self->notice < 0 || self->control < 0 ? -1 : 0;
}

static PyObject *ReadingThread_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"descriptor", "pile_ns", "least_bytes", "most_bytes", "pile_bytes", "think_bytes",
                            "most_waiting_bytes", "stamps_a_round", "most_reads", NULL};
    Pace pace;
    int descriptor;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "i$Lnnnnnii:ReadingThread", names, &descriptor,
                                     &pace.pile_ns, &pace.least_bytes, &pace.most_bytes, &pace.pile_bytes,
                                     &pace.think_bytes, &pace.most_waiting_bytes, &pace.stamps_a_round,
                                     &pace.most_reads))
        return NULL;
    if (is_odd(&pace)) {
        PyErr_SetString(PyExc_ValueError, "the pace needs 1 <= least_bytes <= most_bytes <= 32768, and 1 read at least");
        return NULL;
    }
    ReadingThread *self = (ReadingThread *)type->tp_alloc(type, 0); /* all else is 0 */
    if (self == NULL) return NULL;
    pthread_mutex_init(&self->mutex, NULL);
    self->pace = pace;
    self->read_bytes = pace.least_bytes;
    self->piled_ns = -pace.pile_ns;
    self->is_awaited = true;
    self->notice = self->control = -1;
    if (open_all(self, descriptor) < 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static void ReadingThread_dealloc(ReadingThread *self) {
    close_all(self);
    pthread_mutex_destroy(&self->mutex);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyObject *ReadingThread_fileno(ReadingThread *self, PyObject *unused) {
    return PyLong_FromLong(self->notice);
}

static PyMethodDef methods[] = {
    {"start", (PyCFunction)ReadingThread_start, METH_NOARGS, NULL},
    {"stop", (PyCFunction)ReadingThread_stop, METH_NOARGS, NULL},
    {"close", (PyCFunction)ReadingThread_close, METH_NOARGS, NULL},
    {"fileno", (PyCFunction)ReadingThread_fileno, METH_NOARGS, NULL},
    {"read", (PyCFunction)ReadingThread_read, METH_NOARGS, NULL},
    {"hurry", (PyCFunction)ReadingThread_hurry, METH_O, NULL},
    {"noticed", (PyCFunction)ReadingThread_noticed, METH_NOARGS, NULL},
    {"take", (PyCFunction)(void (*)(void))ReadingThread_take, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};

static PyTypeObject ReadingThread_Type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "broker.native._compiled.ReadingThread",
    .tp_basicsize = sizeof(ReadingThread),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "Reads a socket with the kernel's stamps, in a thread of its own.",
    .tp_new = ReadingThread_new,
    .tp_dealloc = (destructor)ReadingThread_dealloc,
    .tp_methods = methods,
};

int add_reading_thread(PyObject *module) {
    if (PyType_Ready(&ReadingThread_Type) < 0) return -1;
    return PyModule_AddObjectRef(module, "ReadingThread", (PyObject *)&ReadingThread_Type);
}

#else

int add_reading_thread(PyObject *module) { return 0; }

#endif
