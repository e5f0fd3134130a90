import Foundation

/// A tuning table that cannot be used.
public struct TuningTableError: Error, Equatable, CustomStringConvertible {
  public enum Kind: Equatable, Sendable {
    /// There is no such file.
    case missing
    /// There is, and it cannot be read.
    case unreadable
    /// It is not a tuning table, or says what cannot be.
    case malformed
  }

  public var kind: Kind
  public var path: String
  public var reason: String

  public init(kind: Kind, path: String, reason: String) {
    self.kind = kind
    self.path = path
    self.reason = reason
  }

  public var description: String { "\(path): \(reason)" }
}

extension TuningTable {
  /// Of the files that are written, and read.
  public static let format = 1

  /// Reads a file and checks all that it says.
  /// - Throws: `TuningTableError`.
  public init(contentsOf path: String) throws {
    let data: Data
    do {
      data = try Data(contentsOf: URL(fileURLWithPath: path))
    } catch {
      let isMissing = !FileManager.default.fileExists(atPath: path)
      throw TuningTableError(
        kind: isMissing ? .missing : .unreadable, path: path,
        reason: isMissing
          ? "no such tuning table: 'lockstep bench allreduce --tune' writes one"
          : "the tuning table cannot be read")
    }
    do {
      self = try TuningTable(json: data)
    } catch let fault as MalformedTable {
      throw TuningTableError(kind: .malformed, path: path, reason: fault.reason)
    }
  }

  /// The table as a file has it.
  /// - Throws: `EncodingError` if a time is not finite.
  public func json() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let file = File(
      format: TuningTable.format, conditions: conditions, canonical: canonical.map(FileEntry.init),
      anyOrder: anyOrder.map(FileEntry.init))
    return try encoder.encode(file) + Data("\n".utf8)
  }

  /// - Throws: `MalformedTable`.
  init(json: Data) throws {
    let file: File
    do {
      // The format first: what else is there depends on it.
      let format = try JSONDecoder().decode(FileFormat.self, from: json).format
      guard format == TuningTable.format else {
        throw MalformedTable(
          "format \(format) of tuning tables is unknown: this version reads \(TuningTable.format)")
      }
      file = try JSONDecoder().decode(File.self, from: json)
    } catch let error as DecodingError {
      throw MalformedTable("not a tuning table: \(TuningTable.reason(error))")
    }
    let conditions = file.conditions
    guard conditions.ranks > 0, conditions.ranksPerNode.allSatisfy({ $0 > 0 }),
      conditions.ranksPerNode.reduce(0, { $0.addingReportingOverflow($1).partialValue })
        == conditions.ranks
    else {
      throw MalformedTable("measured-on: ranks-per-node must add up to ranks")
    }
    self.init(
      conditions: conditions,
      canonical: try TuningTable.entries(file.canonical, "canonical", on: conditions),
      anyOrder: try TuningTable.entries(file.anyOrder, "any-order", on: conditions))
  }

  private static func entries(
    _ list: [FileEntry], _ name: String, on conditions: Conditions
  ) throws -> [Entry] {
    guard !list.isEmpty else { throw MalformedTable("\(name): there is no entry") }
    var entries: [Entry] = []
    for (index, entry) in list.enumerated() {
      func fault(_ reason: String) -> MalformedTable { .init("\(name)[\(index)]: \(reason)") }
      guard entry.bytes > (entries.last?.bytes ?? 0) else {
        throw fault("bytes must be positive and ascend, found \(entry.bytes)")
      }
      guard let method = AllreduceMethod(rawValue: entry.method) else {
        let names = AllreduceMethod.allCases.map(\.rawValue).joined(separator: ", ")
        throw fault("method '\(entry.method)' is none of \(names)")
      }
      if name == "canonical", case .schedule(let algorithm) = method,
        !algorithm.isCanonical(size: conditions.ranks)
      {
        throw fault(
          "\(entry.method) does not follow the canonical tree on \(conditions.ranks) ranks")
      }
      if method == .hierarchical, !conditions.sharesMemory {
        throw fault("hierarchical needs shared memory")
      }
      guard entry.microseconds > 0 else {
        throw fault("microseconds must be positive, found \(entry.microseconds)")
      }
      entries.append(
        Entry(bytes: entry.bytes, method: method, microseconds: entry.microseconds))
    }
    return entries
  }

  private static func reason(_ error: DecodingError) -> String {
    func place(_ context: DecodingError.Context, _ key: (any CodingKey)? = nil) -> String {
      (context.codingPath + (key.map { [$0] } ?? [])).reduce("") { path, key in
        key.intValue.map { "\(path)[\($0)]" }
          ?? (path.isEmpty ? key.stringValue : "\(path).\(key.stringValue)")
      }
    }
    switch error {
    case .keyNotFound(let key, let context): return "\(place(context, key)) is missing"
    case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
      let name = context.codingPath.isEmpty ? "the file" : place(context)
      return "\(name) is not \(words(for: type))"
    case .dataCorrupted(let context):
      return place(context) + context.debugDescription
    @unknown default: return "\(error)"
    }
  }

  private static func words(for type: any Any.Type) -> String {
    switch type {
    case is Int.Type: "a whole number"
    case is Double.Type: "a number"
    case is Bool.Type: "true or false"
    case is String.Type: "a text"
    case is any ExpressibleByArrayLiteral.Type: "a list"
    default: "an object"
    }
  }
}

/// Why a text is not a tuning table.
struct MalformedTable: Error {
  let reason: String
  init(_ reason: String) { self.reason = reason }
}

private struct FileFormat: Decodable {
  var format: Int
}

private struct File: Codable {
  var format: Int
  var conditions: TuningTable.Conditions
  var canonical: [FileEntry]
  var anyOrder: [FileEntry]

  enum CodingKeys: String, CodingKey {
    case format
    case conditions = "measured-on"
    case canonical
    case anyOrder = "any-order"
  }
}

private struct FileEntry: Codable {
  var bytes: Int
  var method: String
  var microseconds: Double

  init(_ entry: TuningTable.Entry) {
    bytes = entry.bytes
    method = entry.method.rawValue
    microseconds = entry.microseconds
  }
}
