import Kernels

/// An operand of a kernel, 64-byte aligned, whose first contents stay known where a kernel
/// overwrites it.
final class Operand<Element> {
  let base: UnsafeMutablePointer<Element>
  let count: Int
  /// The first `period` elements, as they were.
  private let pattern: [Element]

  /// A prime number: no row or block is a multiple of it.
  private static var period: Int { 65_521 }

  /// - Parameter value: of an index, repeated after `period` elements.
  init(_ count: Int, _ value: (Int) -> Element) {
    self.count = count
    let pattern = (0..<min(count, Operand.period)).map(value)
    self.pattern = pattern
    base = UnsafeMutableRawPointer.allocate(
      byteCount: max(count, 1) * MemoryLayout<Element>.stride, alignment: AlignedBuffer.alignment
    ).bindMemory(to: Element.self, capacity: count)
    pattern.withUnsafeBufferPointer { pattern in
      for start in stride(from: 0, to: count, by: Operand.period) {
        (base + start).initialize(
          from: pattern.baseAddress!, count: min(Operand.period, count - start))
      }
    }
  }

  deinit { base.deallocate() }

  /// What was at `index` before any call.
  func original(_ index: Int) -> Element { pattern[index % Operand.period] }

  var elements: UnsafeMutableBufferPointer<Element> { .init(start: base, count: count) }
  var readOnly: UnsafeBufferPointer<Element> { .init(elements) }
}

extension Operand where Element == Float {
  /// Multiples of 2^-10 that look random, other ones for every `seed`.
  convenience init(_ count: Int, seed: UInt64, in range: ClosedRange<Float> = -1...1) {
    let stream = RandomStream(seed: seed, purpose: .syntheticData, instance: 0)
    let steps = ((range.upperBound - range.lowerBound) * 1024).rounded(.down)
    self.init(count) { index in
      let uniform = stream.uniforms(UInt64(index / 4))[index % 4]
      return range.lowerBound + (uniform * steps).rounded() / 1024
    }
  }

  /// What a kernel writes.
  convenience init(results count: Int) { self.init(count) { _ in .nan } }

  func matrix(_ rows: Int, _ columns: Int) -> Matrix {
    precondition(rows * columns == count)
    return Matrix(base, rows: rows, columns: columns)
  }
}
