import Foundation

/// The columns of nccl-tests, with the candidates' names.
enum AllreduceTable {
  /// - Parameter predicts: with columns for predictions.
  static func heading(predicts: Bool) -> [String] {
    let mode = row(["time", "algbw", "busbw", "#wrong"], modeWidths)
    let units = row(["(us)", "(GB/s)", "(GB/s)", ""], modeWidths)
    let modeWidth = mode.count
    let (names, microseconds) =
      predicts
      ? (row(["predicted", "ratio"], predictionWidths), row(["(us)", ""], predictionWidths))
      : ("", "")
    return [
      "#" + pad("", -leadWidth + 1) + pad("out-of-place", modeWidth) + pad("in-place", modeWidth),
      "#" + row(["size", "count", "type", "redop", ""], leadWidths).dropFirst()
        + pad("candidate", -candidateWidth) + mode + mode + pad("stream", streamWidth) + names,
      "#" + row(["(B)", "(elements)", "", "", ""], leadWidths).dropFirst()
        + pad("", candidateWidth) + units + units + pad("(us)", streamWidth) + microseconds,
    ].map { line in String(line.reversed().drop { $0 == " " }.reversed()) }
  }

  static func line(_ record: ResultRecord) -> String {
    row(
      ["\(record.size)", "\(record.count)", record.type, record.redop, ""], leadWidths)
      + pad(record.candidate, -candidateWidth) + columns(record.outOfPlace)
      + columns(record.inPlace) + pad(time(record.streamMicroseconds), streamWidth)
      + prediction(record)
  }

  private static func prediction(_ record: ResultRecord) -> String {
    guard let predicted = record.predictedMicroseconds, let ratio = record.predictedByMeasured
    else { return "" }
    return row([time(predicted), String(format: "%.2f", ratio)], predictionWidths)
  }

  private static func columns(_ mode: ResultRecord.Mode?) -> String {
    guard let mode else { return row(["-", "-", "-", "-"], modeWidths) }
    func rate(_ value: Double?) -> String { value.map { String(format: "%.2f", $0) } ?? "-" }
    return row(
      [time(mode.medianMicroseconds), rate(mode.algbw), rate(mode.busbw), "\(mode.wrong)"],
      modeWidths)
  }

  private static func time(_ microseconds: Double) -> String {
    String(format: microseconds < 1000 ? "%.2f" : "%.0f", microseconds)
  }

  static let comparisonHeading = [
    "# the fastest of MPI's times by ours; above 1, ours is faster",
    "#" + row(["size", "type", "redop", ""], comparisonWidths).dropFirst() + pad("candidate", -16)
      + pad("out-of-place", 14) + "  " + pad("against", -26) + pad("in-place", 10) + "  against",
  ]

  static func line(_ record: ComparisonRecord) -> String {
    func ratio(_ side: ComparisonRecord.Side) -> String { String(format: "%.2f", side.ratio) }
    return row(["\(record.size)", record.type, record.redop, ""], comparisonWidths)
      + pad(record.candidate, -16) + pad(ratio(record.outOfPlace), 14) + "  "
      + pad(record.outOfPlace.against, -26) + pad(ratio(record.inPlace), 10) + "  "
      + record.inPlace.against
  }

  private static let leadWidths = [12, 11, 9, 9, 2]
  private static let leadWidth = leadWidths.reduce(0, +) + candidateWidth
  private static let candidateWidth = 27
  private static let modeWidths = [11, 8, 8, 8]
  private static let streamWidth = 11
  private static let predictionWidths = [11, 8]
  private static let comparisonWidths = [12, 9, 9, 2]

  private static func row(_ words: [String], _ widths: [Int]) -> String {
    zip(words, widths).map(pad).joined()
  }

  /// Fills up on the left; on the right if `width` is negative.
  private static func pad(_ word: String, _ width: Int) -> String {
    let blanks = String(repeating: " ", count: max(0, abs(width) - word.count))
    return width < 0 ? word + blanks : blanks + word
  }
}
