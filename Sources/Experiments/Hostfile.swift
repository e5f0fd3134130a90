import Foundation

/// The hosts of a cluster, as `mpirun --hostfile` reads them: a host a line, `slots=N` behind it.
public struct Hostfile: Equatable, Sendable {
  /// Ranks that the hosts take in all.
  public let slots: Int
  public let hosts: [String]

  /// - Throws: `HostfileError` if there is no such file, or no host in it.
  public init(path: String) throws {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
      throw HostfileError(path: path, isMissing: true, reason: "no such hostfile")
    }
    var hosts: [String] = []
    var slots = 0
    for line in text.split(whereSeparator: \.isNewline) {
      let words = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace)
      guard let host = words.first else { continue }
      hosts.append(String(host))
      // `slots=4`, with or without blanks around the sign.
      let settings = words.dropFirst().joined(separator: " ")
        .replacing(" =", with: "=").replacing("= ", with: "=").split(separator: " ")
      let count = settings.first { $0.hasPrefix("slots") }.map { Int($0.dropFirst(6)) } ?? 1
      guard let count, (1...1 << 20).contains(count) else {
        throw HostfileError(
          path: path, isMissing: false, reason: "'\(line)': slots is not a positive number")
      }
      slots += count
    }
    guard !hosts.isEmpty else {
      throw HostfileError(path: path, isMissing: false, reason: "there is no host in it")
    }
    self.hosts = hosts
    self.slots = slots
  }
}

/// A hostfile that cannot be used.
public struct HostfileError: Error, CustomStringConvertible {
  public var path: String
  public var isMissing: Bool
  public var reason: String
  public var description: String { "\(path): \(reason)" }
}
