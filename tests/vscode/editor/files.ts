/** Files that the tests type into: an unfinished method that any code model can finish. */

export const SHAPES = `import math


class Rectangle:
    def __init__(self, width: float, height: float) -> None:
        self.width = width
        self.height = height

    def area(self) -> float:
        return self.width * self.height


class Circle:
    def __init__(self, radius: float) -> None:
        self.radius = radius

    def area(self) -> float:
`;

/** What is typed behind SHAPES; the model continues with \`pi\`. */
export const BEGUN = '        return math.';
