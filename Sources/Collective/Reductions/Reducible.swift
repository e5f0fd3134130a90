import Kernels

public typealias ElementType = Kernels.ElementType
public typealias ReductionKind = Kernels.ReductionKind

/// What collectives can move and reduce: `Float`, `Double`, `Float16`, `BFloat16`, `Int32`,
/// `Int64`.
public protocol Reducible: BitwiseCopyable, Sendable {
  static var elementType: ElementType { get }

  /// What partial results are kept in: `Float` for the 16-bit types, which are rounded once, at the
  /// end.
  associatedtype Accumulator: BitwiseCopyable
}

extension Float: Reducible {
  public static var elementType: ElementType { .float32 }
  public typealias Accumulator = Float
}

extension Double: Reducible {
  public static var elementType: ElementType { .float64 }
  public typealias Accumulator = Double
}

extension Float16: Reducible {
  public static var elementType: ElementType { .float16 }
  public typealias Accumulator = Float
}

extension BFloat16: Reducible {
  public static var elementType: ElementType { .bfloat16 }
  public typealias Accumulator = Float
}

extension Int32: Reducible {
  public static var elementType: ElementType { .int32 }
  public typealias Accumulator = Int32
}

extension Int64: Reducible {
  public static var elementType: ElementType { .int64 }
  public typealias Accumulator = Int64
}
