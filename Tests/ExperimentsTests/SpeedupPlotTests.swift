import Foundation
import Testing

@testable import Experiments

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// What an XML reader finds in a picture.
private final class Elements: NSObject, XMLParserDelegate {
  var all: [(name: String, attributes: [String: String])] = []

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
    qualifiedName: String?, attributes: [String: String] = [:]
  ) {
    all.append((name, attributes))
  }

  subscript(name: String) -> [[String: String]] {
    all.filter { $0.name == name }.map(\.attributes)
  }
}

@Suite("the picture of speed-ups")
struct SpeedupPlotTests {
  private func elements(of report: ScalingReport) throws -> Elements {
    let parser = XMLParser(data: Data(report.svg.utf8))
    let elements = Elements()
    parser.delegate = elements
    try #require(parser.parse(), "\(String(describing: parser.parserError))")
    return elements
  }

  private func report(_ rates: [(Int, Double)]) -> ScalingReport {
    ScalingReport(
      mode: .strong, results: rates.map { ScalingReportTests.result($0.0, $0.1) })
  }

  @Test(
    "it is XML, with a dot for every number of ranks, and all of it in the picture",
    arguments: [
      [(1, 100.0)], [(1, 100), (2, 190)], [(1, 100), (2, 150), (2, 190), (4, 1000), (64, 900)],
      [(2, 1e-3), (3, 1e9)], [(1, 1e9), (1024, 1)],
    ])
  func wellFormed(rates: [(Int, Double)]) throws {
    let report = report(rates)
    let elements = try elements(of: report)
    let root = try #require(elements.all.first)
    #expect(root.name == "svg")
    let (width, height) = (560.0, 420.0)
    #expect(root.attributes["viewBox"] == "0 0 560 420")
    let circles = elements["circle"]
    #expect(circles.count == report.rows.count)
    #expect(elements["polyline"].count == 1)
    for circle in circles {
      #expect((0...width).contains(try #require(Double(circle["cx"] ?? ""))))
      #expect((0...height).contains(try #require(Double(circle["cy"] ?? ""))))
    }
    for line in elements["line"] {
      for key in ["x1", "x2"] {
        #expect((0...width).contains(try #require(Double(line[key] ?? ""))))
      }
      for key in ["y1", "y2"] {
        #expect((0...height).contains(try #require(Double(line[key] ?? ""))))
      }
    }
  }

  @Test(
    "dots of a perfect speed-up lie on the ideal line; slower ones lie below it",
    arguments: [1, 2, 3])
  func ideal(base: Int) throws {
    let elements = try elements(
      of: report([(base, 100), (2 * base, 200), (4 * base, 300)]))
    let ideal = try #require(elements["line"].first { $0["stroke-dasharray"] != nil })
    func number(_ attributes: [String: String], _ key: String) throws -> Double {
      try #require(Double(attributes[key] ?? ""))
    }
    let (x1, y1) = (try number(ideal, "x1"), try number(ideal, "y1"))
    let (x2, y2) = (try number(ideal, "x2"), try number(ideal, "y2"))
    let gaps = try elements["circle"].map { circle -> Double in
      let share = (try number(circle, "cx") - x1) / (x2 - x1)
      // Upwards is downwards in SVG.
      return try number(circle, "cy") - (y1 + share * (y2 - y1))
    }
    // Coordinates are rounded to a hundredth.
    #expect(abs(gaps[0]) < 0.02)
    #expect(abs(gaps[1]) < 0.02)
    #expect(gaps[2] > 10)
  }
}
