import CKernels

/// Has bytes fetched into the cache that will soon be read, and waits for nothing. The CPU itself
/// foresees only what lies in a row.
public func prefetch(_ bytes: UnsafeRawBufferPointer) {
  guard let base = bytes.baseAddress else { return }
  for line in stride(from: 0, to: bytes.count, by: 64) { CKernels_prefetch(base + line) }
}
