/// A file of tensors that cannot be read, written or used: which, why, and what to do.
public struct TensorFileFault: Error, Equatable, CustomStringConvertible {
  public enum Kind: Equatable, Sendable {
    /// There is no such file.
    case missing
    /// The content is not what was written, or no such file at all.
    case damaged
    /// The content is whole and belongs to something else.
    case unsuitable
    /// The system fails to read it.
    case unreadable
    /// It cannot be made where it should be.
    case unwritable
    /// The system fails while it is written.
    case writeFailed
  }

  public var kind: Kind
  public var path: String
  /// Why, and what to do.
  public var reason: String

  public init(_ kind: Kind, _ path: String, _ reason: String) {
    self.kind = kind
    self.path = path
    self.reason = reason
  }

  public var description: String { "\(path): \(reason)" }

  var exitCode: Int32 {
    switch kind {
    case .missing: ExitStatus.missingInput
    case .damaged, .unsuitable: ExitStatus.badData
    case .unreadable, .writeFailed: ExitStatus.inputOutput
    case .unwritable: ExitStatus.cannotWrite
    }
  }
}
