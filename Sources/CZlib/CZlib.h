// zlib for Swift.
#ifndef CZLIB_H
#define CZLIB_H

#include <zlib.h>

// inflateInit2 is a macro that passes the header's version and the stream's size.
static inline int CZlib_inflateInit2(z_streamp stream, int windowBits) {
  return inflateInit2(stream, windowBits);
}

#endif
