/// How the elements of all ranks become one.
///
/// Floating-point results do not depend on which rank computes them, bit for bit: a NaN on any rank
/// arrives on every rank, as the one quiet NaN, and so does the NaN of inf - inf or 0 * inf;
/// minimum and maximum let NaN win and put -0 below +0 (IEEE 754-2019, 9.6). Integers wrap around;
/// their average is truncated toward zero. On one rank nothing is computed, and the buffer stays as
/// it is.
public struct Reduction<Element: Reducible> {
  enum Body {
    case kernel(ReductionKind)
    case custom(BulkCombine)
  }

  /// y[i] = a[i] op b[i] for `count` accumulators; y may be a or b.
  typealias BulkCombine = (
    _ count: Int, _ a: UnsafeRawPointer, _ b: UnsafeRawPointer, _ y: UnsafeMutableRawPointer
  ) -> Void

  let body: Body
  let isAverage: Bool
  /// As ranks compare it: 1 to 5 of those below, or that of a custom one's name.
  let number: UInt64

  public static var sum: Reduction { .init(body: .kernel(.sum), isAverage: false, number: 1) }
  /// The sum divided by the number of ranks.
  public static var average: Reduction { .init(body: .kernel(.sum), isAverage: true, number: 2) }
  public static var minimum: Reduction {
    .init(body: .kernel(.minimum), isAverage: false, number: 3)
  }
  public static var maximum: Reduction {
    .init(body: .kernel(.maximum), isAverage: false, number: 4)
  }
  public static var product: Reduction {
    .init(body: .kernel(.product), isAverage: false, number: 5)
  }

  /// Any associative and commutative function. Its operands come in the order of ranks.
  /// - Parameter name: the same on all ranks: it is how calls are compared.
  public static func custom(
    _ name: String,
    _ combine: @escaping (Element.Accumulator, Element.Accumulator) -> Element.Accumulator
  ) -> Reduction {
    let bulk: BulkCombine = { count, a, b, y in
      let a = a.assumingMemoryBound(to: Element.Accumulator.self)
      let b = b.assumingMemoryBound(to: Element.Accumulator.self)
      let y = y.assumingMemoryBound(to: Element.Accumulator.self)
      for i in 0..<count { y[i] = combine(a[i], b[i]) }
    }
    return Reduction(
      body: .custom(bulk), isAverage: false, number: CustomOperation.number(of: name))
  }

  /// For messages.
  static func name(ofNumber number: UInt64) -> String {
    let names = ["none", "sum", "average", "minimum", "maximum", "product"]
    return number < names.count
      ? names[Int(number)]
      : "custom operation \(CustomOperation.name(ofNumber: number) ?? "\(number)")"
  }
}
