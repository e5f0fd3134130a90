import Kernels

extension KernelCase {
  /// Every type and operation in the cache, sums in memory too, and the copy past the caches. Results
  /// are out of place.
  static func reductions(_ sizes: KernelSizes) -> [KernelCase] {
    ReductionKind.allCases.flatMap { kind in
      [
        combine(kind, .float32, Float.self, sizes.cache),
        combine(kind, .float64, Double.self, sizes.cache),
        combine(kind, .int32, Int32.self, sizes.cache),
        combine(kind, .int64, Int64.self, sizes.cache),
      ]
    } + [
      combine(.sum, .float32, Float.self, sizes.memory),
      combine(.sum, .float64, Double.self, sizes.memory),
      combine(.sum, .int32, Int32.self, sizes.memory),
      combine(.sum, .int64, Int64.self, sizes.memory),
    ] + [
      divide(.float32, Float.self, sizes.cache), divide(.float64, Double.self, sizes.cache),
      divide(.int32, Int32.self, sizes.cache), divide(.int64, Int64.self, sizes.cache),
      stream(sizes.memory),
    ]
  }

  private static func combine<Element: ReductionElement>(
    _ kind: ReductionKind, _ type: ElementType, _: Element.Type, _ size: Int
  ) -> KernelCase {
    let count = size / (3 * type.byteCount) / 16 * 16
    let bytes = 3 * count * type.byteCount
    return KernelCase(
      group: .reduction, kernel: "combine/\(kind)", shape: "\(count) \(type)", bytes: bytes,
      footprint: bytes
    ) { kernels in
      // Small integers: exact in every type.
      let a = Operand<Element>(count) { Element(exactly: $0 % 31 - 15)! }
      let b = Operand<Element>(count) { Element(exactly: $0 % 17 - 8)! }
      let y = Operand<Element>(count) { _ in Element(exactly: 99)! }
      return PreparedKernel(
        call: { kernels.combine(kind, type, count: count, a.base, b.base, into: y.base) },
        count: count, result: { y.base[$0].asDouble }
      ) {
        let (a, b) = (a.base[$0].asDouble, b.base[$0].asDouble)
        return switch kind {
        case .sum: .exactly(a + b)
        case .minimum: .exactly(min(a, b))
        case .maximum: .exactly(max(a, b))
        case .product: .exactly(a * b)
        }
      }
    }
  }

  private static func divide<Element: ReductionElement>(
    _ type: ElementType, _: Element.Type, _ size: Int
  ) -> KernelCase {
    let count = size / type.byteCount / 16 * 16
    return KernelCase(
      group: .reduction, kernel: "divide", shape: "\(count) \(type)",
      bytes: 2 * count * type.byteCount, footprint: count * type.byteCount
    ) { kernels in
      let y = Operand<Element>(count) { Element(exactly: 4 * ($0 % 31 - 15))! }
      return PreparedKernel(
        call: { kernels.divide(type, count: count, y.base, by: 4) }, count: count,
        result: { y.base[$0].asDouble }
      ) { .exactly(y.original($0).asDouble / 4) }
    }
  }

  private static func stream(_ size: Int) -> KernelCase {
    let count = size / (2 * MemoryLayout<Float>.size) / 16 * 16
    let bytes = 2 * count * MemoryLayout<Float>.size
    return KernelCase(
      group: .reduction, kernel: "stream", shape: "\(count) float32", bytes: bytes, footprint: bytes
    ) { kernels in
      let x = Operand<Float>(count) { Float($0 % 31) }
      let y = Operand<Float>(count) { _ in 99 }
      return PreparedKernel(
        call: {
          kernels.stream(byteCount: count * MemoryLayout<Float>.size, x.base, into: y.base)
          kernels.finishStreams()
        }, count: count, result: { Double(y.base[$0]) }
      ) { .exactly(Double(x.base[$0])) }
    }
  }
}

/// A type that `combine` and `divide` take as it is.
private protocol ReductionElement: Numeric {
  var asDouble: Double { get }
}

extension Float: ReductionElement { fileprivate var asDouble: Double { Double(self) } }
extension Double: ReductionElement { fileprivate var asDouble: Double { self } }
extension Int32: ReductionElement { fileprivate var asDouble: Double { Double(self) } }
extension Int64: ReductionElement { fileprivate var asDouble: Double { Double(self) } }
