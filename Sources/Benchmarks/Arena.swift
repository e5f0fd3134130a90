import Foundation

/// Memory cut into buffers of one size, which are handed out in turns.
///
/// With one buffer, what is measured is the cache as far as the buffer fits. With so many that they
/// are larger than the cache together, a buffer has left it when its turn comes again.
struct Arena {
  private let memory: UnsafeMutableRawBufferPointer
  private var stride = 0
  private var count = 0
  private var turn = 0

  /// - Precondition: `memory` is on a cache line's boundary.
  init(_ memory: UnsafeMutableRawBufferPointer) { self.memory = memory }

  /// The bytes that `cut` needs for buffers of up to `largest` bytes.
  static func byteCount(largest: Int, covering: Int) -> Int { covering + 2 * cacheLine + largest }

  private static let cacheLine = 64

  /// Starts to hand out buffers of `byteCount` bytes: as many as are needed for more than
  /// `covering` bytes together, at least one.
  mutating func cut(byteCount: Int, covering: Int) {
    stride = (byteCount + Arena.cacheLine - 1) / Arena.cacheLine * Arena.cacheLine
    count = covering / stride + 1
    turn = 0
    precondition(count * stride <= memory.count)
  }

  /// The buffer whose turn it is.
  mutating func next() -> UnsafeMutableRawPointer {
    let start = memory.baseAddress! + turn * stride
    turn = turn + 1 == count ? 0 : turn + 1
    return start
  }

  /// Writes `value` into all buffers.
  func fill<Element>(with value: Element) {
    UnsafeMutableRawBufferPointer(rebasing: memory[..<(count * stride)])
      .assumingMemoryBound(to: Element.self).update(repeating: value)
  }
}
