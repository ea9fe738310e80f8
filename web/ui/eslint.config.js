import js from "@eslint/js";
import hooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

const NO_HTML = "What people write is text: build nodes, never markup.";

export default tseslint.config(
  { ignores: ["node_modules", "dist"] },
  js.configs.recommended,
  ...tseslint.configs.recommended,
  {
    files: ["{src,rival}/**/*.{ts,tsx}"],
    plugins: { "react-hooks": hooks },
    rules: {
      "react-hooks/rules-of-hooks": "error",
      "react-hooks/exhaustive-deps": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      "no-restricted-properties": [
        "error",
        ...["innerHTML", "outerHTML", "insertAdjacentHTML", "setHTML", "setHTMLUnsafe", "dangerouslySetInnerHTML"].map((property) => ({
          property,
          message: NO_HTML,
        })),
        { object: "document", property: "write", message: NO_HTML },
      ],
      "no-restricted-syntax": [
        "error",
        { selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']", message: NO_HTML },
        {
          selector: "AssignmentExpression[left.property.name=/^(innerHTML|outerHTML)$/]",
          message: NO_HTML,
        },
        { selector: "Literal[value=/^https?:\\/\\//]", message: "Nothing comes from another host." },
      ],
    },
  },
  { files: ["src/tokens/theme.js"], languageOptions: { sourceType: "script", globals: { document: "readonly", localStorage: "readonly", matchMedia: "readonly", location: "readonly" } } },
  { files: ["*.ts", "*.js"], languageOptions: { globals: { process: "readonly" } } },
);
