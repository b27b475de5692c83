/* Numbers in bytes, the lowest byte first, whatever the machine. */

#ifndef MESHSCOPE_LITTLE_ENDIAN_H
#define MESHSCOPE_LITTLE_ENDIAN_H

#include <stdint.h>
#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define TURNED16(number) __builtin_bswap16(number)
#define TURNED32(number) __builtin_bswap32(number)
#define TURNED64(number) __builtin_bswap64(number)
#else
#define TURNED16(number) (number)
#define TURNED32(number) (number)
#define TURNED64(number) (number)
#endif

#define READ_AND_WRITE(bits)                                                \
    static inline uint##bits##_t read_u##bits(const void *from) {           \
        uint##bits##_t number;                                              \
        memcpy(&number, from, sizeof(number));                              \
        return TURNED##bits(number);                                        \
    }                                                                       \
    static inline void write_u##bits(void *to, uint##bits##_t number) {     \
        number = TURNED##bits(number);                                      \
        memcpy(to, &number, sizeof(number));                                \
    }

READ_AND_WRITE(16)
READ_AND_WRITE(32)
READ_AND_WRITE(64)

#endif
