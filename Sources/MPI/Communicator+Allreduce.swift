import CMPI

// MPI's own allreduce: the yardstick for the one in `Collective`.

/// A type of numbers that MPI can reduce.
public protocol MPIElement: BitwiseCopyable {
  /// Its name in MPI, such as `MPI_FLOAT`.
  static var datatype: Datatype { get }
}

extension Float: MPIElement {
  public static var datatype: Datatype { Datatype(raw: CMPI_FLOAT(), size: 4) }
}

extension Double: MPIElement {
  public static var datatype: Datatype { Datatype(raw: CMPI_DOUBLE(), size: 8) }
}

extension Int32: MPIElement {
  public static var datatype: Datatype { Datatype(raw: CMPI_INT32_T(), size: 4) }
}

extension Int64: MPIElement {
  public static var datatype: Datatype { Datatype(raw: CMPI_INT64_T(), size: 8) }
}

/// How MPI is told what a buffer holds (MPI 3.1, section 3.2.2).
public struct Datatype {
  let raw: MPI_Datatype
  /// Bytes of one element.
  let size: Int
}

/// MPI's predefined reductions of numbers (MPI 3.1, section 5.9.2).
public enum ReductionOperation: CaseIterable, Sendable {
  case sum, product, minimum, maximum

  fileprivate var raw: MPI_Op {
    switch self {
    case .sum: CMPI_SUM()
    case .product: CMPI_PROD()
    case .minimum: CMPI_MIN()
    case .maximum: CMPI_MAX()
    }
  }
}

extension Communicator {
  /// Combines every rank's `buffer` elementwise, in place, in an order of MPI's choosing.
  /// Collective: all ranks pass the same count.
  ///
  /// The corresponding C function is `MPI_Allreduce` with `MPI_IN_PLACE` (MPI 3.1, section 5.9.6).
  public func allreduce<Element: MPIElement>(
    _ buffer: UnsafeMutableBufferPointer<Element>, _ operation: ReductionOperation = .sum
  ) throws(MPIError) {
    try allreduce(
      buffer.baseAddress, count: buffer.count, of: Element.datatype, operation)
  }

  /// Combines every rank's `source` elementwise into everybody's `target`, in an order of MPI's
  /// choosing. Collective: all ranks pass the same count.
  ///
  /// The corresponding C function is `MPI_Allreduce` (MPI 3.1, section 5.9.6).
  /// - Precondition: as many elements in `target` as in `source`; they do not overlap.
  public func allreduce<Element: MPIElement>(
    _ source: UnsafeBufferPointer<Element>, into target: UnsafeMutableBufferPointer<Element>,
    _ operation: ReductionOperation = .sum
  ) throws(MPIError) {
    precondition(source.count == target.count)
    try allreduce(
      source.baseAddress, into: target.baseAddress, count: source.count, of: Element.datatype,
      operation)
  }

  /// The same in place where the type is known at run time only. A call of it costs some
  /// nanoseconds, a generic one across modules tens.
  public func allreduce(
    _ buffer: UnsafeMutableRawPointer?, count: Int, of type: Datatype,
    _ operation: ReductionOperation
  ) throws(MPIError) {
    try allreduce(CMPI_IN_PLACE(), isInPlace: true, buffer, count, type, operation)
  }

  /// The same out of place where the type is known at run time only.
  public func allreduce(
    _ source: UnsafeRawPointer?, into target: UnsafeMutableRawPointer?, count: Int,
    of type: Datatype, _ operation: ReductionOperation
  ) throws(MPIError) {
    try allreduce(source, isInPlace: false, target, count, type, operation)
  }

  private func allreduce(
    _ source: UnsafeRawPointer?, isInPlace: Bool, _ target: UnsafeMutableRawPointer?, _ count: Int,
    _ type: Datatype, _ operation: ReductionOperation
  ) throws(MPIError) {
    var start = 0
    repeat {
      let piece = min(countLimit, count - start)
      let offset = start * type.size
      try check(
        MPI_Allreduce(
          isInPlace ? source : source.map { $0 + offset }, target.map { $0 + offset },
          Int32(piece), type.raw, operation.raw, raw), "MPI_Allreduce")
      start += piece
    } while start < count
  }
}
