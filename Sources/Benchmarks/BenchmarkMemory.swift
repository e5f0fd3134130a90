import Foundation
import Kernels

/// The buffers of a benchmark: sources and targets, in ordinary memory and in the node's shared
/// window. It lives until the process ends.
struct BenchmarkMemory {
  /// Bytes that the buffers of one kind have together at least, whatever their size.
  let covering: Int
  private var sources: Arena
  private var targets: Arena
  private var windowSources: Arena
  private var windowTargets: Arena

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
    windowSources = Arena(try allocateWindow(byteCount))
    windowTargets = Arena(try allocateWindow(byteCount))
  }

  mutating func cut(byteCount: Int) {
    sources.cut(byteCount: byteCount, covering: covering)
    targets.cut(byteCount: byteCount, covering: covering)
    windowSources.cut(byteCount: byteCount, covering: covering)
    windowTargets.cut(byteCount: byteCount, covering: covering)
  }

  /// The buffer in ordinary memory that takes the first result of `byteCount` bytes.
  func firstTarget(byteCount: Int) -> UnsafeMutableRawBufferPointer {
    var memory = self
    memory.cut(byteCount: byteCount)
    return .init(start: memory.target(inWindow: false), count: byteCount)
  }

  func fill<Element>(with value: Element) {
    sources.fill(with: value)
    targets.fill(with: value)
    windowSources.fill(with: value)
    windowTargets.fill(with: value)
  }

  /// The next buffer for an input that stays as it is.
  mutating func source(inWindow: Bool) -> UnsafeMutableRawPointer {
    inWindow ? windowSources.next() : sources.next()
  }

  /// The next buffer for a result.
  mutating func target(inWindow: Bool) -> UnsafeMutableRawPointer {
    inWindow ? windowTargets.next() : targets.next()
  }
}
