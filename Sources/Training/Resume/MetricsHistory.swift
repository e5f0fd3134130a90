import Foundation

/// What an earlier run has left in `metrics.jsonl`, for one that goes on from its checkpoint.
struct MetricsHistory {
  /// The lines that stay, each with its end.
  private(set) var text = Data()

  /// Drops what the run is going to do again, and a last line that was torn.
  /// - Parameter step: the steps that the checkpoint has. The evaluation that may follow them comes
  ///   again.
  init(_ lines: Data, upTo step: Int) {
    let decoder = JSONDecoder()
    for line in lines.split(separator: 0x0A) {
      guard let event = try? decoder.decode(Event.self, from: line) else { continue }
      let steps = event.step ?? 0
      guard steps < step || steps == step && event.event != "evaluation" else { continue }
      text += line
      text.append(0x0A)
    }
  }

  private struct Event: Decodable {
    var event: String
    /// Steps made when it was recorded, if it says.
    var step: Int?
  }
}
