import CMPI
import Synchronization

/// An MPI call that failed: what was called, and what MPI says of it.
///
/// Two errors are equal if they are of the same MPI error class.
public struct MPIError: Error, Equatable, CustomStringConvertible {
  /// The MPI function, such as `MPI_Isend`.
  public var call: String
  /// The error code that it returned.
  public var code: Int32
  /// The code's error class, such as `MPI_ERR_RANK`.
  public var errorClass: Int32
  /// MPI's text for the code.
  public var text: String
  /// The calling process's rank in `MPI_COMM_WORLD`; -1 outside of a session.
  public var rank: Int

  /// Whether a call of this process has failed in a way that ends the job.
  static var hasOccurred: Bool { occurred.load(ordering: .relaxed) }
  fileprivate static let occurred = Atomic(false)

  init(call: String, code: Int32) {
    self.call = call
    self.code = code
    var errorClass: Int32 = code
    MPI_Error_class(code, &errorClass)
    self.errorClass = errorClass
    var length: Int32 = 0
    text = withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(MPI_MAX_ERROR_STRING)) {
      $0.initialize(repeating: 0)
      return MPI_Error_string(code, $0.baseAddress!, &length) == MPI_SUCCESS
        ? String(cString: $0.baseAddress!) : "unknown error"
    }
    var rank: Int32 = -1
    if Session.isActive { MPI_Comm_rank(CMPI_COMM_WORLD(), &rank) }
    self.rank = Int(rank)
  }

  public var description: String {
    "\(call) failed on rank \(rank): \(text) (code \(code), class \(errorClass))"
  }

  public static func == (a: MPIError, b: MPIError) -> Bool { a.errorClass == b.errorClass }
}

/// Throws unless an MPI function returned `MPI_SUCCESS`.
/// - Parameter isForgivable: the job can go on without what was asked for.
@inline(__always)
func check(
  _ code: Int32, _ call: @autoclosure () -> String, isForgivable: Bool = false
) throws(MPIError) {
  guard code != MPI_SUCCESS else { return }
  if !isForgivable { MPIError.occurred.store(true, ordering: .relaxed) }
  throw MPIError(call: call(), code: code)
}
