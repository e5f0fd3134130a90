import Foundation

/// Speed-up against the ideal, as a picture: both axes linear, one dot for each number of ranks, a
/// bar from the slowest to the fastest run.
struct SpeedupPlot {
  let report: ScalingReport

  private let width = 560.0
  private let height = 420.0
  private let margin = (left: 64.0, right: 24.0, top: 44.0, bottom: 56.0)

  private var base: Double { Double(report.rows[0].ranks) }
  private var largestRanks: Double { Double(report.rows.last!.ranks) }
  private var largestSpeedup: Double {
    max(largestRanks / base, report.rows.map(\.speedup.most).max()!) * 1.05
  }

  private func x(_ ranks: Double) -> Double {
    margin.left + ranks / largestRanks * (width - margin.left - margin.right)
  }

  private func y(_ speedup: Double) -> Double {
    height - margin.bottom - speedup / largestSpeedup * (height - margin.top - margin.bottom)
  }

  var svg: String {
    let body = [axes, ideal, measured].joined(separator: "\n")
    return """
      <svg xmlns="http://www.w3.org/2000/svg" width="\(Int(width))" height="\(Int(height))" \
      viewBox="0 0 \(Int(width)) \(Int(height))" font-family="sans-serif" font-size="12">
      <rect width="100%" height="100%" fill="white"/>
      <text x="\(p(width / 2))" y="24" text-anchor="middle" font-size="14">\
      Speed-up, \(report.mode.rawValue) scaling</text>
      \(body)
      </svg>

      """
  }

  private var axes: String {
    let bottom = height - margin.bottom
    var parts = [
      line((margin.left, margin.top), (margin.left, bottom), "#444"),
      line((margin.left, bottom), (width - margin.right, bottom), "#444"),
      text((margin.left + width - margin.right) / 2, height - 16, "middle", "ranks"),
      text(16, margin.top - 12, "start", "speed-up over \(report.rows[0].ranks)"),
    ]
    for row in report.rows {
      let tick = x(Double(row.ranks))
      parts.append(line((tick, bottom), (tick, bottom + 5), "#444"))
      parts.append(text(tick, bottom + 20, "middle", "\(row.ranks)"))
    }
    for value in ticks {
      parts.append(line((margin.left, y(value)), (width - margin.right, y(value)), "#e4e4e4"))
      parts.append(text(margin.left - 8, y(value) + 4, "end", p(value)))
    }
    return parts.joined(separator: "\n")
  }

  /// Four to eight round numbers from 0 to the largest speed-up.
  private var ticks: [Double] {
    let raw = largestSpeedup / 5
    let power = pow(10, floor(log10(raw)))
    let step = [1, 2, 5, 10].map { $0 * power }.first { $0 >= raw } ?? raw
    return Array(stride(from: 0, through: largestSpeedup, by: step))
  }

  private var ideal: String {
    let end = (x(largestRanks), y(largestRanks / base))
    return line((x(base), y(1)), end, "#888", dashed: true)
      + "\n" + text(end.0 - 6, end.1 - 8, "end", "ideal")
  }

  private var measured: String {
    let points = report.rows.map { (x(Double($0.ranks)), y($0.speedup.median)) }
    let path = points.map { "\(p($0.0)),\(p($0.1))" }.joined(separator: " ")
    var parts = [
      "<polyline points=\"\(path)\" fill=\"none\" stroke=\"#0b62a8\" stroke-width=\"2\"/>"
    ]
    for (row, point) in zip(report.rows, points) {
      parts.append(line((point.0, y(row.speedup.least)), (point.0, y(row.speedup.most)), "#0b62a8"))
      parts.append(
        "<circle cx=\"\(p(point.0))\" cy=\"\(p(point.1))\" r=\"4\" fill=\"#0b62a8\"/>")
    }
    return parts.joined(separator: "\n")
  }

  private func line(
    _ a: (Double, Double), _ b: (Double, Double), _ colour: String, dashed: Bool = false
  ) -> String {
    "<line x1=\"\(p(a.0))\" y1=\"\(p(a.1))\" x2=\"\(p(b.0))\" y2=\"\(p(b.1))\" stroke=\"\(colour)\""
      + (dashed ? " stroke-dasharray=\"6 4\"/>" : "/>")
  }

  private func text(_ x: Double, _ y: Double, _ anchor: String, _ content: String) -> String {
    "<text x=\"\(p(x))\" y=\"\(p(y))\" text-anchor=\"\(anchor)\">\(content)</text>"
  }

  /// A coordinate with no more digits than a picture needs.
  private func p(_ value: Double) -> String {
    let rounded = (value * 100).rounded() / 100
    return rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
  }
}

extension ScalingReport {
  /// A plot of speed-up against the ideal.
  public var svg: String { SpeedupPlot(report: self).svg }
}
