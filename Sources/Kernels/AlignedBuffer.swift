/// Floats on a 64-byte boundary (a cache line, and the widest vector), zero at first.
public final class AlignedBuffer {
  public static let alignment = 64

  public let base: UnsafeMutablePointer<Float>
  public let count: Int

  public init(count: Int) {
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: max(count, 1) * MemoryLayout<Float>.stride, alignment: AlignedBuffer.alignment)
    base = memory.initializeMemory(as: Float.self, repeating: 0, count: count)
    self.count = count
  }

  deinit { base.deallocate() }

  public var elements: UnsafeMutableBufferPointer<Float> { .init(start: base, count: count) }
}
