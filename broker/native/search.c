/* Looks through chunks for what must not reach the disk, without the interpreter's lock.
 *
 * Twins: SecretNames.suspect_keys_slowly in broker/capture/secret_names.py; places_of_slowly and all_below_slowly in
 * broker/capture/search.py.
 */

#include "little_endian.h"
#include "native.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* As in the twin. */
#define TAIL 8
#define MOST_SLASHES 7
#define MOST_BLANKS 16
#define TAILS_BYTES (1 << 16)
#define CASE UINT64_C(0x2020202020202020)

typedef struct {
    int64_t *at;
    Py_ssize_t count, room;
    bool is_short; /* of memory */
} Places;

static void add_place(Places *places, int64_t place) {
    if (places->count == places->room) {
        Py_ssize_t room = places->room == 0 ? 64 : places->room * 2;
        int64_t *at = PyMem_RawRealloc(places->at, (size_t)room * sizeof(int64_t));
        if (at == NULL) {
            places->is_short = true;
            return;
        }
        places->at = at;
        places->room = room;
    }
    places->at[places->count++] = place;
}

/* They are found almost in order: a place lies a few dozen bytes before one found earlier, at most. */
static void add_in_order(Places *places, int64_t place) {
    Py_ssize_t at = places->count;
    while (at > 0 && places->at[at - 1] > place) at--;
    if (at > 0 && places->at[at - 1] == place) return;
    add_place(places, place);
    if (places->is_short) return;
    memmove(&places->at[at + 1], &places->at[at], (size_t)(places->count - 1 - at) * sizeof(int64_t));
    places->at[at] = place;
}

static PyObject *told(Places *places) {
    PyObject *bytes = places->is_short ? PyErr_NoMemory()
                                       : PyBytes_FromStringAndSize((const char *)places->at,
                                                                   places->count * (Py_ssize_t)sizeof(int64_t));
    PyMem_RawFree(places->at);
    return bytes;
}

/* -- the ends of keys */

typedef struct {
    uint64_t shift, last; /* how far a tail of eight bytes is shifted to be as long as the name's end, and that */
} Ending;

typedef struct {
    const unsigned char *octets;
    Py_ssize_t count;
    const unsigned char *tails; /* whether four bytes with this hash may end a name */
    const char *endings;
    Py_ssize_t ending_count;
    Places *places;
} Search;

/* Whether a name ends before this place; first by a hash of four bytes, what is left by up to eight. */
static bool ends_a_name(const Search *search, Py_ssize_t end) {
    if (end < TAIL) return false;
    uint32_t four = read_u32(search->octets + end - 4) | (uint32_t)CASE;
    if (!search->tails[(four * UINT32_C(0x9E3779B1)) >> 16]) return false;
    uint64_t eight = read_u64(search->octets + end - TAIL) | CASE;
    for (Py_ssize_t number = 0; number < search->ending_count; number++) {
        Ending ending;
        memcpy(&ending, search->endings + number * (Py_ssize_t)sizeof(Ending), sizeof(Ending));
        if (ending.shift < 64 && eight >> ending.shift == ending.last) return true;
    }
    return false;
}

static inline unsigned char clipped(const Search *search, Py_ssize_t place) {
    return search->octets[place < search->count ? place : search->count - 1];
}

static inline Py_ssize_t before(Py_ssize_t place) { return place > 1 ? place - 1 : 1; }

/* A colon ends a key if a quotation mark stands before it, blanks between them or not, itself escaped or not. */
static void look_before_colon(const Search *search, Py_ssize_t colon) {
    const unsigned char *octets = search->octets;
    Py_ssize_t place = colon - 1;
    for (int blanks = 0; octets[place] <= ' '; blanks++) {
        if (blanks == MOST_BLANKS) { /* it is not clear */
            add_in_order(search->places, place);
            return;
        }
        place = before(place);
    }
    if (octets[place] != '"') return;
    for (int slashes = 0; slashes < MOST_SLASHES && octets[place - 1] == '\\'; slashes++) place = before(place);
    if (ends_a_name(search, place)) add_in_order(search->places, place - 1);
}

static void look_at(const Search *search, Py_ssize_t place) {
    if (search->octets[place] == '=') { /* as in texts that hold a query or a message */
        if (ends_a_name(search, place)) add_in_order(search->places, place - 1);
        return;
    }
    if (clipped(search, place + 1) == '/' && clipped(search, place + 2) == '/') add_in_order(search->places, place);
    if (place > TAIL) look_before_colon(search, place);
}

#if defined(__SSE2__)
/* Which of 64 bytes are colons or equals signs, as bits. */
static uint64_t marks_of(const unsigned char *octets) {
    const __m128i colons = _mm_set1_epi8(':'), equals = _mm_set1_epi8('=');
    uint64_t marks = 0;
    for (int quarter = 0; quarter < 4; quarter++) {
        __m128i part = _mm_loadu_si128((const __m128i *)octets + quarter);
        __m128i found = _mm_or_si128(_mm_cmpeq_epi8(part, colons), _mm_cmpeq_epi8(part, equals));
        marks |= (uint64_t)_mm_movemask_epi8(found) << (16 * quarter);
    }
    return marks;
}
#endif

static void look_through(const Search *search) {
    Py_ssize_t place = 0;
#if defined(__SSE2__)
    for (; place + 64 <= search->count; place += 64)
        for (uint64_t marks = marks_of(search->octets + place); marks; marks &= marks - 1)
            look_at(search, place + __builtin_ctzll(marks));
#endif
    for (; place < search->count; place++)
        if (search->octets[place] == ':' || search->octets[place] == '=') look_at(search, place);
}

/* suspect_keys(octets, tails, endings): the places, as int64, rising */
static PyObject *suspect_keys(PyObject *module, PyObject *arguments) {
    Py_buffer octets, tails, endings;
    if (!PyArg_ParseTuple(arguments, "y*y*y*:suspect_keys", &octets, &tails, &endings)) return NULL;
    PyObject *result = NULL;
    if (tails.len == TAILS_BYTES && endings.len % (Py_ssize_t)sizeof(Ending) == 0) {
        Places places = {0};
        Search search = {octets.buf, octets.len, tails.buf, endings.buf, endings.len / (Py_ssize_t)sizeof(Ending),
                         &places};
        Py_BEGIN_ALLOW_THREADS
        look_through(&search);
        Py_END_ALLOW_THREADS
        result = told(&places);
    } else {
        PyErr_SetString(PyExc_ValueError, "tails are 65,536 bytes, endings pairs of numbers");
    }
    PyBuffer_Release(&octets);
    PyBuffer_Release(&tails);
    PyBuffer_Release(&endings);
    return result;
}

/* -- the first bytes of messages */

static bool are_all_below(const unsigned char *octets, Py_ssize_t count, const int64_t *offsets, Py_ssize_t offset_count,
                          int64_t ahead, int limit) {
    for (Py_ssize_t number = 0; number < offset_count; number++) {
        int64_t place = offsets[number] + ahead;
        if (place >= count) place = count - 1;
        if (place < 0 || octets[place] >= limit) return false;
    }
    return true;
}

/* all_below(octets, offsets, ahead, limit): whether each byte that lies so far behind an offset is less */
static PyObject *all_below(PyObject *module, PyObject *arguments) {
    Py_buffer octets, offsets;
    Py_ssize_t ahead;
    int limit;
    if (!PyArg_ParseTuple(arguments, "y*y*ni:all_below", &octets, &offsets, &ahead, &limit)) return NULL;
    bool are_all = are_all_below(octets.buf, octets.len, offsets.buf, offsets.len / (Py_ssize_t)sizeof(int64_t), ahead,
                                 limit);
    PyBuffer_Release(&octets);
    PyBuffer_Release(&offsets);
    return PyBool_FromLong(are_all);
}

/* -- some bytes */

static void find_all(const char *text, Py_ssize_t count, const char *wanted, Py_ssize_t length, Places *places) {
    const Py_ssize_t last = count - length; /* where they may begin at the latest */
    Py_ssize_t place = 0, next = 0;         /* next: behind those that were found */
#if defined(__SSE2__)
    const __m128i first_byte = _mm_set1_epi8(wanted[0]), last_byte = _mm_set1_epi8(wanted[length - 1]);
    for (; place + 16 + length - 1 <= count; place += 16) {
        __m128i begins = _mm_loadu_si128((const __m128i *)(text + place));
        __m128i ends = _mm_loadu_si128((const __m128i *)(text + place + length - 1));
        int found =
            _mm_movemask_epi8(_mm_and_si128(_mm_cmpeq_epi8(begins, first_byte), _mm_cmpeq_epi8(ends, last_byte)));
        for (; found; found &= found - 1) {
            Py_ssize_t at = place + __builtin_ctz((unsigned)found);
            if (at < next || memcmp(text + at, wanted, (size_t)length) != 0) continue;
            add_place(places, at);
            next = at + length;
        }
    }
#endif
    for (; place <= last; place++) {
        if (place < next || text[place] != wanted[0] || memcmp(text + place, wanted, (size_t)length) != 0) continue;
        add_place(places, place);
        next = place + length;
    }
}

/* places_of(text, wanted): the places, as int64, rising */
static PyObject *places_of(PyObject *module, PyObject *arguments) {
    Py_buffer text, wanted;
    if (!PyArg_ParseTuple(arguments, "y*y*:places_of", &text, &wanted)) return NULL;
    Places places = {0};
    PyObject *result = NULL;
    if (wanted.len > 0) {
        Py_BEGIN_ALLOW_THREADS
        find_all(text.buf, text.len, wanted.buf, wanted.len, &places);
        Py_END_ALLOW_THREADS
        result = told(&places);
    } else {
        PyErr_SetString(PyExc_ValueError, "nothing is looked for");
    }
    PyBuffer_Release(&text);
    PyBuffer_Release(&wanted);
    return result;
}

static PyMethodDef functions[] = {
    {"suspect_keys", suspect_keys, METH_VARARGS, NULL},
    {"all_below", all_below, METH_VARARGS, NULL},
    {"places_of", places_of, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

int add_search(PyObject *module) { return PyModule_AddFunctions(module, functions); }
