import Foundation

/// A number that JSON may not be able to hold: NaN and infinities become null.
struct JSONNumber: Encodable, Equatable {
  var value: Double

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    if value.isFinite { try container.encode(value) } else { try container.encodeNil() }
  }
}

extension JSONEncoder {
  /// Keys in kebab-case and in alphabetical order.
  public static func lockstep(pretty: Bool = false) -> JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if pretty { encoder.outputFormatting.insert(.prettyPrinted) }
    encoder.keyEncodingStrategy = .custom { path in
      KebabKey(stringValue: KebabKey.kebab(path.last!.stringValue))
    }
    return encoder
  }
}

extension JSONDecoder {
  /// For what `JSONEncoder.lockstep` writes.
  static func lockstep() -> JSONDecoder {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .custom { path in
      KebabKey(stringValue: KebabKey.camel(path.last!.stringValue))
    }
    return decoder
  }
}

private struct KebabKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }

  init(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }

  /// `testAccuracy` is `test-accuracy`; `parameterSha256` is `parameter-sha256`.
  static func kebab(_ name: String) -> String {
    name.reduce(into: "") { result, character in
      if character.isUppercase { result += "-" }
      result += character.lowercased()
    }
  }

  /// `test-accuracy` is `testAccuracy`.
  static func camel(_ name: String) -> String {
    let words = name.split(separator: "-")
    return words.prefix(1).joined() + words.dropFirst().map(\.capitalized).joined()
  }
}
