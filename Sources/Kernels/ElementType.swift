/// The element types that collectives move and reduce.
public enum ElementType: String, CaseIterable, Sendable {
  case float32
  case float64
  /// IEEE 754 binary16.
  case float16
  /// The upper half of a float32: its range, with 8 bits of precision.
  case bfloat16
  case int32
  case int64

  /// The size of one element, and its alignment.
  public var byteCount: Int {
    switch self {
    case .float16, .bfloat16: 2
    case .float32, .int32: 4
    case .float64, .int64: 8
    }
  }

  /// The type in which sums are kept: float32 for the 16-bit types, itself for the others.
  public var accumulator: ElementType {
    switch self {
    case .float16, .bfloat16: .float32
    case .float32, .float64, .int32, .int64: self
    }
  }
}

/// How two elements become one.
public enum ReductionKind: String, CaseIterable, Sendable {
  case sum
  case minimum
  case maximum
  case product
}
