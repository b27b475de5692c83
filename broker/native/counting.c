/* Calls counted by group and log bucket. The twins are in broker/mesh/counting.py.
 *
 * Nothing here needs the interpreter while it counts: whoever shows a window goes on meanwhile. Arrays come as buffers
 * whose types the twin's module has checked; what would lie outside them is refused, never written.
 */

#include "native.h"

#define OUTCOMES 8 /* as in broker/mesh/counting.py */
#define FAILED 1   /* Outcome in broker/observe/journal.py: OK and FAILED have a duration, */
#define COUNTED 4  /* and those below this are calls */
#define MOST_BUFFERS 9
#define MOST_SHARES 16

typedef struct {
    Py_buffer views[MOST_BUFFERS];
    int held;
} Buffers;

static void let_go(Buffers *buffers) {
    while (buffers->held > 0) PyBuffer_Release(&buffers->views[--buffers->held]);
}

/* How many elements of this size an array has; -1 with an exception. `at` is then its first. */
static Py_ssize_t hold(Buffers *buffers, PyObject *array, Py_ssize_t item_bytes, bool is_written, void *at) {
    Py_buffer *view = &buffers->views[buffers->held];
    if (PyObject_GetBuffer(array, view, is_written ? PyBUF_CONTIG : PyBUF_CONTIG_RO) < 0) return -1;
    buffers->held++;
    if (view->itemsize != item_bytes) {
        PyErr_SetString(PyExc_TypeError, "an array of another type than it was checked to be");
        return -1;
    }
    *(void **)at = view->buf;
    return view->len / item_bytes;
}

static PyObject *outside(Buffers *buffers) {
    let_go(buffers);
    PyErr_SetString(PyExc_IndexError, "a number outside what is counted");
    return NULL;
}

/* -- looking up */

#define LOOK_UP(VALUE, NUMBER)                                                                              \
    do {                                                                                                    \
        const VALUE *values = table;                                                                        \
        const NUMBER *numbers = wanted;                                                                     \
        VALUE *result = found;                                                                              \
        for (Py_ssize_t row = 0; row < count; row++)                                                        \
            result[row] = values[(uint64_t)numbers[row] < (uint64_t)last ? (uint64_t)numbers[row] : (uint64_t)last]; \
    } while (0)

#define LOOK_UP_ANY(VALUE)                                  \
    do {                                                    \
        if (number_bytes == 2) LOOK_UP(VALUE, uint16_t);    \
        else if (number_bytes == 4) LOOK_UP(VALUE, uint32_t); \
        else LOOK_UP(VALUE, uint64_t);                      \
    } while (0)

/* look_up(table, numbers, found): found[i] = table[numbers[i]], the last of the table for what is beyond it. */
static PyObject *look_up(PyObject *module, PyObject *const *arguments, Py_ssize_t given) {
    if (given != 3) {
        PyErr_SetString(PyExc_TypeError, "look_up(table, numbers, found)");
        return NULL;
    }
    Buffers buffers = {.held = 0};
    for (int place = 0; place < 3; place++) {
        if (PyObject_GetBuffer(arguments[place], &buffers.views[place], place == 2 ? PyBUF_CONTIG : PyBUF_CONTIG_RO) < 0) {
            let_go(&buffers);
            return NULL;
        }
        buffers.held++;
    }
    const Py_ssize_t value_bytes = buffers.views[0].itemsize, number_bytes = buffers.views[1].itemsize;
    const Py_ssize_t last = buffers.views[0].len / value_bytes - 1, count = buffers.views[1].len / number_bytes;
    if (last < 0 || buffers.views[2].itemsize != value_bytes || buffers.views[2].len / value_bytes != count ||
        !(value_bytes == 1 || value_bytes == 4 || value_bytes == 8) ||
        !(number_bytes == 2 || number_bytes == 4 || number_bytes == 8)) {
        let_go(&buffers);
        PyErr_SetString(PyExc_TypeError, "arrays of other types or lengths than they were checked to be");
        return NULL;
    }
    const void *table = buffers.views[0].buf, *wanted = buffers.views[1].buf;
    void *found = buffers.views[2].buf;
    Py_BEGIN_ALLOW_THREADS;
    if (value_bytes == 1) LOOK_UP_ANY(uint8_t);
    else if (value_bytes == 4) LOOK_UP_ANY(uint32_t);
    else LOOK_UP_ANY(uint64_t);
    Py_END_ALLOW_THREADS;
    let_go(&buffers);
    Py_RETURN_NONE;
}

/* -- counting */

/* count_calls(groups, outcome, bucket, duration_s, outcomes, cells, max_s, width) */
static PyObject *count_calls(PyObject *module, PyObject *const *arguments, Py_ssize_t given) {
    if (given != 8) {
        PyErr_SetString(PyExc_TypeError, "count_calls(groups, outcome, bucket, duration_s, outcomes, cells, max_s, width)");
        return NULL;
    }
    const Py_ssize_t width = PyLong_AsSsize_t(arguments[7]);
    if (width == -1 && PyErr_Occurred()) return NULL;
    Buffers buffers = {.held = 0};
    const int64_t *group;
    const uint8_t *outcome;
    const int16_t *bucket;
    const float *duration_s;
    int64_t *outcomes;
    int32_t *cells;
    float *max_s;
    const Py_ssize_t count = hold(&buffers, arguments[0], 8, false, &group);
    const Py_ssize_t lengths[] = {
        count < 0 ? -1 : hold(&buffers, arguments[1], 1, false, &outcome),
        count < 0 ? -1 : hold(&buffers, arguments[2], 2, false, &bucket),
        count < 0 ? -1 : hold(&buffers, arguments[3], 4, false, &duration_s),
    };
    const Py_ssize_t groups = count < 0 ? -1 : hold(&buffers, arguments[6], 4, true, &max_s);
    const Py_ssize_t all = groups < 0 ? -1 : hold(&buffers, arguments[4], 8, true, &outcomes);
    const Py_ssize_t room = all < 0 ? -1 : hold(&buffers, arguments[5], 4, true, &cells);
    if (PyErr_Occurred()) {
        let_go(&buffers);
        return NULL;
    }
    if (lengths[0] != count || lengths[1] != count || lengths[2] != count || all != groups * OUTCOMES || width < 1 ||
        room != groups * width)
        return outside(&buffers);
    bool is_inside = true;
    Py_BEGIN_ALLOW_THREADS;
    for (Py_ssize_t row = 0; row < count; row++) {
        const uint64_t own = (uint64_t)group[row];
        if (own >= (uint64_t)groups || outcome[row] >= OUTCOMES || bucket[row] >= width) {
            is_inside = false;
            break;
        }
        outcomes[own * OUTCOMES + outcome[row]]++;
        if (outcome[row] > FAILED || bucket[row] < 0) continue;
        cells[own * (uint64_t)width + (uint64_t)bucket[row]]++;
        if (duration_s[row] > max_s[own]) max_s[own] = duration_s[row];
    }
    Py_END_ALLOW_THREADS;
    if (!is_inside) return outside(&buffers);
    let_go(&buffers);
    Py_RETURN_NONE;
}

/* count_moments(groups, moments, outcome, bucket, counts, cells, moments of a group, log buckets taken as one) */
static PyObject *count_moments(PyObject *module, PyObject *const *arguments, Py_ssize_t given) {
    if (given != 8) {
        PyErr_SetString(PyExc_TypeError, "count_moments(groups, moments, outcome, bucket, counts, cells, points, coarse)");
        return NULL;
    }
    const Py_ssize_t points = PyLong_AsSsize_t(arguments[6]), coarse = PyLong_AsSsize_t(arguments[7]);
    if (PyErr_Occurred()) return NULL;
    Buffers buffers = {.held = 0};
    const int64_t *group, *moment;
    const uint8_t *outcome;
    const int16_t *bucket;
    int64_t *counts;
    int32_t *cells;
    const Py_ssize_t count = hold(&buffers, arguments[0], 8, false, &group);
    const Py_ssize_t lengths[] = {
        count < 0 ? -1 : hold(&buffers, arguments[1], 8, false, &moment),
        count < 0 ? -1 : hold(&buffers, arguments[2], 1, false, &outcome),
        count < 0 ? -1 : hold(&buffers, arguments[3], 2, false, &bucket),
    };
    const Py_ssize_t all = count < 0 ? -1 : hold(&buffers, arguments[4], 8, true, &counts);
    const Py_ssize_t room = all < 0 ? -1 : hold(&buffers, arguments[5], 4, true, &cells);
    if (PyErr_Occurred()) {
        let_go(&buffers);
        return NULL;
    }
    if (lengths[0] != count || lengths[1] != count || lengths[2] != count || points < 1 || coarse < 1 ||
        (all == 0 ? room != 0 || count != 0 : room % all != 0))
        return outside(&buffers);
    const uint64_t width = all == 0 ? 0 : (uint64_t)(room / all);
    int shift = 0;
    while (((Py_ssize_t)1 << shift) < coarse) shift++;
    bool is_inside = ((Py_ssize_t)1 << shift) == coarse;
    Py_BEGIN_ALLOW_THREADS;
    for (Py_ssize_t row = 0; row < count && is_inside; row++) {
        const uint64_t cell = (uint64_t)group[row] * (uint64_t)points + (uint64_t)moment[row];
        is_inside = (uint64_t)moment[row] < (uint64_t)points && cell < (uint64_t)all;
        if (!is_inside || outcome[row] >= COUNTED) continue;
        counts[cell]++;
        if (outcome[row] > FAILED || bucket[row] < 0) continue;
        const uint64_t place = (uint64_t)(bucket[row] >> shift);
        is_inside = place < width;
        if (is_inside) cells[cell * width + place]++;
    }
    Py_END_ALLOW_THREADS;
    if (!is_inside) return outside(&buffers);
    let_go(&buffers);
    Py_RETURN_NONE;
}

/* -- what was counted */

/* merge_cells(cells, into, merged, width): adds the histogram of each group to that of a larger one, -1 for none. */
static PyObject *merge_cells(PyObject *module, PyObject *const *arguments, Py_ssize_t given) {
    if (given != 4) {
        PyErr_SetString(PyExc_TypeError, "merge_cells(cells, into, merged, width)");
        return NULL;
    }
    const Py_ssize_t width = PyLong_AsSsize_t(arguments[3]);
    if (width == -1 && PyErr_Occurred()) return NULL;
    Buffers buffers = {.held = 0};
    const int32_t *cells;
    const int64_t *into;
    int32_t *merged;
    const Py_ssize_t room = hold(&buffers, arguments[0], 4, false, &cells);
    const Py_ssize_t groups = room < 0 ? -1 : hold(&buffers, arguments[1], 8, false, &into);
    const Py_ssize_t most = groups < 0 ? -1 : hold(&buffers, arguments[2], 4, true, &merged);
    if (PyErr_Occurred()) {
        let_go(&buffers);
        return NULL;
    }
    if (width < 1 || room != groups * width || most % width != 0) return outside(&buffers);
    bool is_inside = true;
    Py_BEGIN_ALLOW_THREADS;
    for (Py_ssize_t group = 0; group < groups && is_inside; group++) {
        if (into[group] < 0) continue;
        is_inside = into[group] < most / width;
        if (!is_inside) continue;
        const int32_t *from = cells + group * width;
        int32_t *to = merged + into[group] * width;
        Py_ssize_t place = 0;
        for (; place + 4 <= width; place += 4) { /* most are empty */
            uint64_t pairs[2];
            memcpy(pairs, from + place, sizeof pairs);
            if ((pairs[0] | pairs[1]) == 0) continue;
            for (Py_ssize_t one = place; one < place + 4; one++) to[one] += from[one];
        }
        for (; place < width; place++) to[place] += from[place];
    }
    Py_END_ALLOW_THREADS;
    if (!is_inside) return outside(&buffers);
    let_go(&buffers);
    Py_RETURN_NONE;
}

static int64_t sum_of(const int32_t *cells, Py_ssize_t width) {
    int64_t sum = 0;
    for (Py_ssize_t place = 0; place < width; place++) sum += cells[place];
    return sum;
}

/* Of one group that has calls: the bucket in which the call of each rank lies. Ranks need not rise. */
static void find_ranks(const int32_t *cells, Py_ssize_t width, const double *shares, Py_ssize_t wanted, int64_t sum,
                       int64_t *buckets) {
    int64_t ranks[MOST_SHARES];
    Py_ssize_t missing = wanted;
    for (Py_ssize_t share = 0; share < wanted; share++) {
        const double rank = (double)sum * shares[share] - 1e-9;
        ranks[share] = (int64_t)rank + ((double)(int64_t)rank < rank); /* upwards */
        if (ranks[share] < 1) ranks[share] = 1;
    }
    int64_t running = 0;
    for (Py_ssize_t place = 0; place < width && missing > 0; place++) {
        if (cells[place] == 0) continue;
        const int64_t before = running;
        running += cells[place];
        for (Py_ssize_t share = 0; share < wanted; share++)
            if (ranks[share] > before && ranks[share] <= running) {
                buckets[share] = place;
                missing--;
            }
    }
}

/* quantile_buckets(cells, shares, counts, buckets): of each group how many calls it has, and the bucket of each share. */
static PyObject *quantile_buckets(PyObject *module, PyObject *const *arguments, Py_ssize_t given) {
    if (given != 4) {
        PyErr_SetString(PyExc_TypeError, "quantile_buckets(cells, shares, counts, buckets)");
        return NULL;
    }
    Buffers buffers = {.held = 0};
    const int32_t *cells;
    const double *shares;
    int64_t *counts, *found;
    const Py_ssize_t room = hold(&buffers, arguments[0], 4, false, &cells);
    const Py_ssize_t wanted = room < 0 ? -1 : hold(&buffers, arguments[1], 8, false, &shares);
    const Py_ssize_t groups = wanted < 0 ? -1 : hold(&buffers, arguments[2], 8, true, &counts);
    const Py_ssize_t all = groups < 0 ? -1 : hold(&buffers, arguments[3], 8, true, &found);
    if (PyErr_Occurred()) {
        let_go(&buffers);
        return NULL;
    }
    if (wanted > MOST_SHARES || all != groups * wanted || (groups == 0 ? room != 0 : room % groups != 0))
        return outside(&buffers);
    const Py_ssize_t width = groups == 0 ? 0 : room / groups;
    Py_BEGIN_ALLOW_THREADS;
    for (Py_ssize_t group = 0; group < groups; group++) {
        const int32_t *own = cells + group * width;
        counts[group] = sum_of(own, width);
        if (counts[group] > 0) find_ranks(own, width, shares, wanted, counts[group], found + group * wanted);
    }
    Py_END_ALLOW_THREADS;
    let_go(&buffers);
    Py_RETURN_NONE;
}

#define FUNCTION(name) {#name, (PyCFunction)(void (*)(void))name, METH_FASTCALL, NULL}

static PyMethodDef functions[] = {
    FUNCTION(look_up),     FUNCTION(count_calls),      FUNCTION(count_moments),
    FUNCTION(merge_cells), FUNCTION(quantile_buckets), {NULL, NULL, 0, NULL},
};

int add_counting(PyObject *module) { return PyModule_AddFunctions(module, functions); }
