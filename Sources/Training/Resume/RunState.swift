import Foundation

/// What a run's numbers are at the end of a step, beside its tensors: the text that a checkpoint's
/// record has for it. Evaluations that follow the step are not part of it: they come again.
struct RunState: Codable, Equatable {
  var progress: TrainingProgress
  /// In each phase of the clock.
  var seconds: [Double]
  /// Updates that the optimizer has made.
  var updates: Int

  init(progress: TrainingProgress, seconds: [Double], updates: Int) {
    self.progress = progress
    // Whatever ended this process ends no other.
    self.progress.status = TrainingProgress.completed
    self.seconds = seconds
    self.updates = updates
  }

  init(text: String) throws {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    self = try decoder.decode(RunState.self, from: Data(text.utf8))
  }

  /// Reads back as the same numbers, bit for bit.
  func text() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return String(decoding: try encoder.encode(self), as: UTF8.self)
  }
}
