/* Headers of ordinary packets. The twin is broker/protocol/headers.py, which decides what is JSON and what is not.
 *
 * What is accepted here, msgspec accepts too and reads in the same way; that is held by tests. So the grammar is
 * strict, and what is unusual is refused.
 */

#include "native.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define DEEPEST 32

typedef struct {
    const char *at, *end;
} Cursor;

static inline void skip_blanks(Cursor *c) {
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\n' || *c->at == '\r' || *c->at == '\t')) c->at++;
}

static inline bool take(Cursor *c, char wanted) {
    if (c->at < c->end && *c->at == wanted) {
        c->at++;
        return true;
    }
    return false;
}

static inline bool is_digit(char c) { return c >= '0' && c <= '9'; }

static inline bool is_hex(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* From behind the opening quotation mark to behind the closing one. */
static bool skip_string(Cursor *c, bool *is_plain) {
    bool plain = true;
    while (true) {
#if defined(__SSE2__)
        while (c->end - c->at >= 16) {
            __m128i part = _mm_loadu_si128((const __m128i *)c->at);
            __m128i quote = _mm_cmpeq_epi8(part, _mm_set1_epi8('"'));
            __m128i slash = _mm_cmpeq_epi8(part, _mm_set1_epi8('\\'));
            /* signed: below a blank are control characters, and all that is not ASCII */
            __m128i odd = _mm_cmplt_epi8(part, _mm_set1_epi8(' '));
            int found = _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, slash), odd));
            if (found) {
                c->at += __builtin_ctz((unsigned)found);
                break;
            }
            c->at += 16;
        }
#endif
        if (c->at >= c->end) return false;
        unsigned char one = (unsigned char)*c->at++;
        if (one == '"') {
            if (is_plain != NULL) *is_plain = plain;
            return true;
        }
        if (one < ' ') return false;
        if (one >= 0x80) {
            plain = false;
        } else if (one == '\\') {
            plain = false;
            if (c->at >= c->end) return false;
            switch (*c->at++) {
            case '"': case '\\': case '/': case 'b': case 'f': case 'n': case 'r': case 't':
                break;
            case 'u':
                if (c->end - c->at < 4) return false;
                for (int place = 0; place < 4; place++)
                    if (!is_hex(c->at[place])) return false;
                /* surrogates are for the twin, which knows those that stand alone */
                if ((c->at[0] == 'd' || c->at[0] == 'D') && c->at[1] >= '8') return false;
                c->at += 4;
                break;
            default:
                return false;
            }
        }
    }
}

static bool skip_digits(Cursor *c) {
    const char *begin = c->at;
    while (c->at < c->end && is_digit(*c->at)) c->at++;
    return c->at > begin;
}

static bool skip_number(Cursor *c) {
    take(c, '-');
    if (!take(c, '0') && !skip_digits(c)) return false;
    if (take(c, '.') && !skip_digits(c)) return false;
    if (take(c, 'e') || take(c, 'E')) {
        if (!take(c, '+')) take(c, '-');
        if (!skip_digits(c)) return false;
    }
    /* 01 ends here with its second digit, which nothing may follow */
    return true;
}

static bool skip_word(Cursor *c, const char *word, Py_ssize_t length) {
    if (c->end - c->at < length || memcmp(c->at, word, (size_t)length) != 0) return false;
    c->at += length;
    return true;
}

static bool skip_value(Cursor *c, int depth) {
    if (c->at >= c->end || depth > DEEPEST) return false;
    switch (*c->at) {
    case '"':
        c->at++;
        return skip_string(c, NULL);
    case '{':
        c->at++;
        skip_blanks(c);
        if (take(c, '}')) return true;
        while (true) {
            if (!take(c, '"') || !skip_string(c, NULL)) return false;
            skip_blanks(c);
            if (!take(c, ':')) return false;
            skip_blanks(c);
            if (!skip_value(c, depth + 1)) return false;
            skip_blanks(c);
            if (take(c, '}')) return true;
            if (!take(c, ',')) return false;
            skip_blanks(c);
        }
    case '[':
        c->at++;
        skip_blanks(c);
        if (take(c, ']')) return true;
        while (true) {
            if (!skip_value(c, depth + 1)) return false;
            skip_blanks(c);
            if (take(c, ']')) return true;
            if (!take(c, ',')) return false;
            skip_blanks(c);
        }
    case 't':
        return skip_word(c, "true", 4);
    case 'f':
        return skip_word(c, "false", 5);
    case 'n':
        return skip_word(c, "null", 4);
    default:
        return skip_number(c);
    }
}

/* A text that is itself: no escapes, nothing but ASCII. */
static bool read_text(Cursor *c, Slice *slice) {
    bool is_plain;
    if (!take(c, '"')) return false;
    slice->at = c->at;
    if (!skip_string(c, &is_plain) || !is_plain) return false;
    slice->length = c->at - slice->at - 1;
    return true;
}

static bool read_text_or_null(Cursor *c, Slice *slice) {
    if (c->at < c->end && *c->at == 'n') {
        slice->at = NULL;
        return skip_word(c, "null", 4);
    }
    return read_text(c, slice);
}

/* A whole number of some digits, as it is written; null is none. */
static bool read_whole(Cursor *c, Slice *slice, int most_digits) {
    slice->at = NULL;
    if (c->at < c->end && *c->at == 'n') return skip_word(c, "null", 4);
    slice->at = c->at;
    if (!(c->at < c->end && is_digit(*c->at))) return false;
    if (!take(c, '0') && !skip_digits(c)) return false;
    slice->length = c->at - slice->at;
    return slice->length <= most_digits;
}

/* true, false or null, by its first letter. */
static bool read_flag(Cursor *c, char *flag) {
    if (c->at >= c->end) return false;
    *flag = *c->at;
    return *flag == 't' ? skip_word(c, "true", 4) : *flag == 'f' ? skip_word(c, "false", 5) : skip_word(c, "null", 4);
}

/* An array of plain texts; null is none. */
static bool read_texts(Cursor *c, Slice *slice) {
    Slice text;
    slice->at = NULL;
    if (c->at < c->end && *c->at == 'n') return skip_word(c, "null", 4);
    slice->at = c->at;
    if (!take(c, '[')) return false;
    skip_blanks(c);
    if (!take(c, ']')) {
        do {
            skip_blanks(c);
            if (!read_text(c, &text)) return false;
            skip_blanks(c);
        } while (take(c, ','));
        if (!take(c, ']')) return false;
    }
    slice->length = c->at - slice->at;
    return true;
}

bool next_text(const char **at, Slice *text) {
    while (**at != '"' && **at != ']') ++*at;
    if (**at == ']') return false;
    text->at = ++*at;
    while (**at != '"') ++*at;
    text->length = *at - text->at;
    ++*at;
    return true;
}

static bool read_no_stream(Cursor *c) {
    return c->at < c->end && *c->at == 'n' ? skip_word(c, "null", 4) : skip_word(c, "false", 5);
}

enum { ID = 1, SENDER = 2, ACTION = 4, TIMEOUT = 8, LEVEL = 16, TRACING = 32, PARENT = 64, REQUEST = 128, CALLER = 256,
       STREAM = 512, SEQ = 1024, VER = 2048, SUCCESS = 4096, ERROR_FIELD = 8192, EVENT = 16384, GROUPS = 32768,
       BROADCAST = 65536, EVENT_ID = 131072 };

#define IS(text) (length == sizeof(text) - 1 && memcmp(key, text, sizeof(text) - 1) == 0)

static int request_field(const char *key, Py_ssize_t length) {
    switch (length) {
    case 2: return IS("id") ? ID : 0;
    case 3: return IS("ver") ? VER : IS("seq") ? SEQ : 0;
    case 5: return IS("level") ? LEVEL : 0;
    case 6: return IS("sender") ? SENDER : IS("action") ? ACTION : IS("caller") ? CALLER : IS("stream") ? STREAM : 0;
    case 7: return IS("timeout") ? TIMEOUT : IS("tracing") ? TRACING : 0;
    case 8: return IS("parentID") ? PARENT : 0;
    case 9: return IS("requestID") ? REQUEST : 0;
    default: return 0;
    }
}

static int response_field(const char *key, Py_ssize_t length) {
    switch (length) {
    case 2: return IS("id") ? ID : 0;
    case 3: return IS("ver") ? VER : IS("seq") ? SEQ : 0;
    case 5: return IS("error") ? ERROR_FIELD : 0;
    case 6: return IS("sender") ? SENDER : IS("stream") ? STREAM : 0;
    case 7: return IS("success") ? SUCCESS : 0;
    default: return 0;
    }
}

static int event_field(const char *key, Py_ssize_t length) {
    switch (length) {
    case 2: return IS("id") ? EVENT_ID : 0;
    case 3: return IS("ver") ? VER : 0;
    case 5: return IS("event") ? EVENT : IS("level") ? LEVEL : 0;
    case 6: return IS("sender") ? SENDER : IS("caller") ? CALLER : IS("groups") ? GROUPS : 0;
    case 7: return IS("tracing") ? TRACING : 0;
    case 8: return IS("parentID") ? PARENT : 0;
    case 9: return IS("requestID") ? REQUEST : IS("broadcast") ? BROADCAST : 0;
    default: return 0;
    }
}

static bool read_field(Cursor *c, int field, Header *header) {
    Slice unused;
    switch (field) {
    case ID: return read_text(c, &header->id) && header->id.length > 0;
    case SENDER: return read_text(c, &header->sender) && header->sender.length > 0;
    case ACTION: return read_text(c, &header->action) && header->action.length > 0;
    case PARENT: return read_text_or_null(c, &header->parent_id);
    case REQUEST: return read_text_or_null(c, &header->request_id);
    case CALLER: return read_text_or_null(c, &header->caller);
    case LEVEL: return read_whole(c, &header->level, 9);
    case VER: return read_text(c, &unused);
    case STREAM: return read_no_stream(c);
    case SEQ: case ERROR_FIELD: return skip_word(c, "null", 4);
    case SUCCESS: return skip_word(c, "true", 4);
    case TIMEOUT: {
        Slice digits;
        if (!read_whole(c, &digits, 15)) return false;
        header->timeout_ms = 0;
        for (Py_ssize_t place = 0; digits.at != NULL && place < digits.length; place++)
            header->timeout_ms = header->timeout_ms * 10 + (digits.at[place] - '0');
        return true;
    }
    case TRACING: return read_flag(c, &header->tracing);
    case BROADCAST: return read_flag(c, &header->broadcast);
    case EVENT: return read_text(c, &header->event) && header->event.length > 0;
    case EVENT_ID: return read_text_or_null(c, &header->id);
    case GROUPS: return read_texts(c, &header->groups);
    default: return skip_value(c, 1);
    }
}

static bool read_header(const char *body, Py_ssize_t length, Header *header, int (*field_of)(const char *, Py_ssize_t),
                        int wanted) {
    Cursor c = {body, body + length};
    int seen = 0;
    memset(header, 0, sizeof *header);
    header->tracing = header->broadcast = 'n';
    if (!take(&c, '{')) return false;
    do {
        Slice key;
        skip_blanks(&c);
        if (!take(&c, '"')) return false;
        key.at = c.at;
        bool is_plain;
        if (!skip_string(&c, &is_plain)) return false;
        key.length = c.at - key.at - 1;
        if (!is_plain && memchr(key.at, '\\', (size_t)key.length) != NULL) return false;
        skip_blanks(&c);
        if (!take(&c, ':')) return false;
        skip_blanks(&c);
        int field = field_of(key.at, key.length);
        if (field & seen) return false; /* said twice */
        seen |= field;
        if (!read_field(&c, field, header)) return false;
        skip_blanks(&c);
    } while (take(&c, ','));
    return take(&c, '}') && c.at == c.end && (seen & wanted) == wanted;
}

bool read_request_header(const char *body, Py_ssize_t length, Header *header) {
    return read_header(body, length, header, request_field, ID | SENDER | ACTION);
}

bool read_response_header(const char *body, Py_ssize_t length, Header *header) {
    return read_header(body, length, header, response_field, ID | SENDER | SUCCESS);
}

bool read_event_header(const char *body, Py_ssize_t length, Header *header) {
    return read_header(body, length, header, event_field, EVENT | SENDER);
}
