//! What a module names: its `use` lines, and the paths in its code, macros and attributes.

use proc_macro2::{Spacing, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{
    Attribute, ImplItemFn, Item, ItemMod, ItemUse, Macro, Meta, Path, UseTree, VisRestricted,
    Visibility,
};

/// A path as a list of names; the first is empty where it begins with `::`.
pub(crate) type Segments = Vec<String>;

/// One name that a `use` line brings in.
pub(crate) struct Use {
    /// The name by which it is known here; none for `*`.
    pub(crate) name: Option<String>,
    pub(crate) path: Segments,
    /// Whether others can reach it through this line, as with `pub use`.
    pub(crate) is_handed_on: bool,
}

#[derive(Default)]
pub(crate) struct Names {
    pub(crate) uses: Vec<Use>,
    /// Paths of two names and more.
    pub(crate) paths: Vec<Segments>,
    /// Types that are named by one name alone.
    pub(crate) types: Vec<String>,
}

impl Names {
    /// What the items of one module name. Modules within it have names of their own.
    pub(crate) fn of(items: &[Item]) -> Self {
        let mut names = Self::default();
        for item in items.iter().filter(|item| !matches!(item, Item::Mod(_))) {
            names.visit_item(item);
        }
        names
    }

    fn add(&mut self, path: Segments) {
        match path.as_slice() {
            [name] if name.starts_with(char::is_uppercase) => self.types.push(name.clone()),
            [] | [_] => {}
            _ => self.paths.push(path),
        }
    }

    fn add_use(&mut self, begin: &[String], tree: &UseTree, is_handed_on: bool) {
        let path = |name: String| {
            let end = (name != "self").then_some(name);
            begin.iter().cloned().chain(end).collect::<Segments>()
        };
        match tree {
            UseTree::Path(tree) => {
                self.add_use(&path(tree.ident.to_string()), &tree.tree, is_handed_on);
            }
            UseTree::Name(tree) => {
                let path = path(tree.ident.to_string());
                self.uses.push(Use { name: path.last().cloned(), path, is_handed_on });
            }
            UseTree::Rename(tree) => {
                let path = path(tree.ident.to_string());
                self.uses.push(Use { name: Some(tree.rename.to_string()), path, is_handed_on });
            }
            UseTree::Glob(_) => {
                self.uses.push(Use { name: None, path: begin.to_vec(), is_handed_on });
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.add_use(begin, tree, is_handed_on);
                }
            }
        }
    }

    /// Collects the paths out of what is no syntax tree: the inside of macros and attributes.
    fn add_tokens(&mut self, tokens: TokenStream, in_attribute: bool) {
        let mut tokens = tokens.into_iter().peekable();
        let mut path = Segments::new();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Ident(name) => {
                    path.push(name.to_string());
                    if !matches!(tokens.peek(), Some(TokenTree::Punct(next)) if next.as_char() == ':' && next.spacing() == Spacing::Joint)
                    {
                        self.add(std::mem::take(&mut path));
                    }
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => {
                    let is_double = punct.spacing() == Spacing::Joint;
                    if is_double && path.is_empty() {
                        path.push(String::new());
                    }
                    if is_double {
                        tokens.next();
                        if !matches!(tokens.peek(), Some(TokenTree::Ident(_))) {
                            self.add(std::mem::take(&mut path));
                        }
                    }
                }
                TokenTree::Group(group) => self.add_tokens(group.stream(), in_attribute),
                // serde takes paths as texts.
                TokenTree::Literal(literal) if in_attribute => {
                    let text = literal.to_string();
                    let path: Segments =
                        text.trim_matches('"').split("::").map(str::to_owned).collect();
                    if path.len() > 1 && path.iter().all(|name| is_name(name)) {
                        self.add(path);
                    }
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
    }
}

impl<'ast> Visit<'ast> for Names {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_only_for_tests(attributes_of(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        if !is_only_for_tests(&function.attrs) {
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        panic!("the module {} stands within a function", module.ident);
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let begin: Segments = item.leading_colon.iter().map(|_| String::new()).collect();
        let is_handed_on = !matches!(item.vis, Visibility::Inherited);
        self.add_use(&begin, &item.tree, is_handed_on);
    }

    fn visit_path(&mut self, path: &'ast Path) {
        let begin = path.leading_colon.iter().map(|_| String::new());
        let names = path.segments.iter().map(|segment| segment.ident.to_string());
        self.add(begin.chain(names).collect());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        self.visit_path(&call.path);
        self.add_tokens(call.tokens.clone(), false);
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        match &attribute.meta {
            Meta::Path(_) => {}
            Meta::List(list) => self.add_tokens(list.tokens.clone(), true),
            Meta::NameValue(meta) => self.visit_expr(&meta.value),
        }
    }

    /// `pub(in crate::store)` imports nothing.
    fn visit_vis_restricted(&mut self, _: &'ast VisRestricted) {}
}

/// Whether these attributes hold `cfg(test)`, alone or with more that must hold.
pub(crate) fn is_only_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).any(|attribute| {
        let Meta::List(list) = &attribute.meta else { return false };
        let condition = list.tokens.to_string();
        condition == "test"
            || condition.starts_with("all")
                && condition
                    .split(|letter: char| !letter.is_alphanumeric())
                    .any(|word| word == "test")
    })
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|letter| letter.is_alphanumeric() || letter == '_')
}

fn attributes_of(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::TraitAlias(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
