import Foundation
import Kernels

/// The buffers of a benchmark: sources and targets in ordinary memory, and targets in the node's shared
/// window. It lives until the process ends.
struct BenchmarkMemory {
  /// Bytes that the buffers of one kind have together at least, whatever their size.
  let covering: Int
  private var sources: Arena
  private var targets: Arena
  private var windows: Arena

  /// Collective, as `allocateWindow` is.
  /// - Parameters:
  ///   - largest: bytes of the largest buffer.
  ///   - covering: bytes that buffers must exceed together; 0 for one buffer only.
  init(
    largest: Int, covering: Int, allocateWindow: (Int) throws -> UnsafeMutableRawBufferPointer
  ) rethrows {
    self.covering = covering
    let byteCount = Arena.byteCount(largest: largest, covering: covering)
    func ordinary() -> Arena {
      Arena(.allocate(byteCount: byteCount, alignment: AlignedBuffer.alignment))
    }
    sources = ordinary()
    targets = ordinary()
    windows = Arena(try allocateWindow(byteCount))
  }

  mutating func cut(byteCount: Int) {
    sources.cut(byteCount: byteCount, covering: covering)
    targets.cut(byteCount: byteCount, covering: covering)
    windows.cut(byteCount: byteCount, covering: covering)
  }

  func fill<Element>(with value: Element) {
    sources.fill(with: value)
    targets.fill(with: value)
    windows.fill(with: value)
  }

  /// The next buffer for an input that stays as it is.
  mutating func source() -> UnsafeMutableRawPointer { sources.next() }

  /// The next buffer for a result.
  mutating func target(inWindow: Bool) -> UnsafeMutableRawPointer {
    inWindow ? windows.next() : targets.next()
  }
}
