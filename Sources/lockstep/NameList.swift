import ArgumentParser
import Experiments

typealias Named = CaseIterable & RawRepresentable<String> & Equatable

func names<Value: Named>(_ type: Value.Type) -> String {
  type.allCases.map(\.rawValue).joined(separator: ", ")
}

/// Reads names separated by commas, each once.
func list<Value: Named>(_ text: String, of type: Value.Type) throws -> [Value] {
  let values = try Quantity.list(text) { name in
    guard let value = Value(rawValue: name) else {
      throw ValidationError("'\(name)' is none of \(names(type))")
    }
    return value
  }
  for (index, value) in values.enumerated() where values[..<index].contains(value) {
    throw ValidationError("'\(text)': \(value.rawValue) is there twice")
  }
  return values
}
