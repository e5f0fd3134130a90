import CKernels

/// y = x, past the caches but for the bytes around whole lines of y.
func stream(_ byteCount: Int, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer) {
  let start = min(-Int(bitPattern: y) & 63, byteCount)
  let end = start + (byteCount - start) & ~63
  y.copyMemory(from: x, byteCount: start)
  CKernels_stream(end - start, x + start, y + start)
  (y + end).copyMemory(from: x + end, byteCount: byteCount - end)
}
