import Foundation

/// The hosts of a cluster, as `mpirun --hostfile` reads them: a host a line, `slots=N` behind it.
public struct Hostfile: Equatable, Sendable {
  /// Ranks that the hosts take in all; nil if one does not say: then Open MPI counts its cores.
  public let slots: Int?
  public let hosts: [String]
  /// The line of each host.
  private let lines: [String]

  /// The file without some of its hosts.
  public func text(without hosts: [String]) -> String {
    zip(self.hosts, lines).filter { !hosts.contains($0.0) }.map { $0.1 + "\n" }.joined()
  }

  /// - Throws: `HostfileError` if there is no such file, or no host in it.
  public init(path: String) throws {
    guard FileManager.default.fileExists(atPath: path) else {
      throw HostfileError(path: path, isMissing: true, reason: "no such hostfile")
    }
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
      throw HostfileError(path: path, isMissing: false, reason: "not a text file that can be read")
    }
    var hosts: [String] = []
    var lines: [String] = []
    var slots: Int? = 0
    for line in text.split(whereSeparator: \.isNewline) {
      let words = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace)
      guard let host = words.first else { continue }
      hosts.append(String(host))
      lines.append(String(line))
      // `slots=4`, with or without blanks around the sign.
      let settings = words.dropFirst().joined(separator: " ")
        .replacing(" =", with: "=").replacing("= ", with: "=").split(separator: " ")
      guard let setting = settings.first(where: { $0.hasPrefix("slots") }) else {
        slots = nil
        continue
      }
      guard let count = Int(setting.dropFirst(6)), (1...1 << 20).contains(count) else {
        throw HostfileError(
          path: path, isMissing: false, reason: "'\(line)': slots is not a positive number")
      }
      slots = slots.map { $0 + count }
    }
    guard !hosts.isEmpty else {
      throw HostfileError(path: path, isMissing: false, reason: "there is no host in it")
    }
    self.hosts = hosts
    self.lines = lines
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
