import Testing

@testable import NN

/// Windows as configurations ask for them.
struct WindowSettingsTests {
  struct Case: Sendable {
    var settings: RawSetting
    var input: Shape
    var output: Shape
  }

  static let cases = [
    Case(settings: ["size": 2], input: Shape(28, 28), output: Shape(14, 14, 1)),
    Case(settings: ["size": 2], input: Shape(5, 7, 3), output: Shape(2, 3, 3)),
    Case(settings: ["size": 3, "stride": 2], input: Shape(7, 8, 3), output: Shape(3, 3, 3)),
    Case(
      settings: ["size": 3, "stride": 2, "padding": "same"], input: Shape(7, 8, 3),
      output: Shape(4, 4, 3)),
    Case(
      settings: ["size": [5, 1], "stride": 1, "padding": "same"], input: Shape(4, 4, 2),
      output: Shape(4, 4, 2)),
    Case(
      settings: ["size": [3, 2], "stride": [1, 2], "padding": [1, 0]], input: Shape(4, 4),
      output: Shape(4, 2, 1)),
    Case(settings: ["size": 3, "padding": "none"], input: Shape(3, 3, 9), output: Shape(1, 1, 9)),
  ]

  @Test("the size of what a layer makes of an image", arguments: cases)
  func shapes(test: Case) throws {
    let plan = try NetworkPlan(
      [LayerSpecification("max-pool", test.settings)], inputShape: test.input)
    #expect(plan.outputShape == test.output)
  }

  struct Misfit: Sendable {
    var settings: RawSetting
    var reason: String
  }

  static let refused = [
    Misfit(settings: [:], reason: "size is missing: expected {max-pool: 2}"),
    Misfit(
      settings: 0,
      reason: "size: expected a whole number from 1 to 65536, or a list of 2, found '0'"),
    Misfit(
      settings: ["size": [1, 2, 3]],
      reason: "size: expected a whole number from 1 to 65536, or a list of 2, found a list"),
    Misfit(
      settings: ["size": [3, 2], "padding": 2],
      reason:
        "padding: expected same, none, or a number of pixels less than the window's, found '2'"),
    Misfit(
      settings: ["size": 2, "strides": 1],
      reason: "unknown setting 'strides'; did you mean 'stride'?"),
  ]

  @Test("settings that fit no window are refused", arguments: refused)
  func faults(test: Misfit) {
    let fault = #expect(throws: SettingFault.self) {
      try LayerSpecification("max-pool", test.settings)
    }
    #expect(fault?.description == "max-pool: \(test.reason)")
  }

  @Test(
    "shapes that are no image, or smaller than a window, are refused before anything is allocated",
    arguments: [
      (Shape(16), "images of height x width or height x width x channels"),
      (Shape(2, 2, 2, 2), "images of height x width or height x width x channels"),
      (Shape(4, 2, 3), "images that are not smaller than its 3x3 windows"),
    ] as [(Shape, String)])
  func noImages(shape: Shape, needs: String) throws {
    let pool = try LayerSpecification("average-pool", 3)
    let error = #expect(throws: ShapeError.self) {
      try NetworkPlan([.relu, pool], inputShape: shape)
    }
    #expect(error?.description == "layer 1 (average-pool): needs \(needs), got \(shape)")
  }

  @Test("settings print back as they were resolved")
  func text() throws {
    let layer = try LayerSpecification("max-pool", ["size": 3, "padding": "same"])
    #expect(layer.description == "{max-pool: {size: [3, 3], stride: [3, 3], padding: same}}")
  }
}
