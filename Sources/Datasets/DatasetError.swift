/// Data that cannot be used: which, and why.
public struct DatasetError: Error, CustomStringConvertible {
  public enum Kind: Sendable {
    /// The file is not there.
    case missing
    /// The file is there and cannot be read.
    case unreadable
    /// The content is not what it should be.
    case malformed
  }

  public var kind: Kind
  /// A file's path, or what the data is called in the configuration.
  public var source: String
  public var reason: String

  public init(_ kind: Kind, _ source: String, _ reason: String) {
    self.kind = kind
    self.source = source
    self.reason = reason
  }

  public var description: String { "\(source): \(reason)" }
}
